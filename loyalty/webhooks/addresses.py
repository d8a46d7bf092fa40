"""Which addresses may be called: public ones by https, so that no webhook reaches into the operator's own network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Text
from loyalty.webhooks.models import LONGEST_URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

PORTS = frozenset({443, 4443, 8443, 9443})
DEFAULT_PORTS = {"https": 443, "http": 80}
LAST_PORT = 65_535

# Public by their number alone: relays into other networks, documentation, and hosts that clouds keep for themselves.
NOT_FOR_CALLS = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "100::/64", "2001::/23", "2002::/16", "fec0::/10"),
    )
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressError(ValueError):
    """The address may not be called; the text says why."""

    text: Text = _("This address may not be called.")

    def __init__(self) -> None:
        super().__init__(str(self.text))


class NotAnAddressError(AddressError):
    """This is not a URL with a host."""

    text = _("This is not a web address. It looks like https://example.com/hooks")


class NotHttpsError(AddressError):
    """Anything but https."""

    text = _("The address must begin with https://")


class HasCredentialsError(AddressError):
    """A user name or password stands in it."""

    text = _("Leave user name and password out: each delivery is signed instead.")


class BadPortError(AddressError):
    """A port that webhooks do not use."""

    text = _("Only the ports 443, 4443, 8443 and 9443 are called.")


class UnknownHostError(AddressError):
    """The name has no address."""

    text = _("The name of this host was not found.")


class PrivateAddressError(AddressError):
    """The host is not on the public internet."""

    text = _("This host is not on the public internet: private, local and reserved addresses are not called.")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: what to connect to and what to ask for. ``host`` is in ASCII, without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """The host as a request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"


def target_of(url: str, *, allow_private: bool) -> Target:
    """Take a URL apart; raise an AddressError unless its form may be called. Nothing is looked up."""
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url or "\\" in url:
        raise NotAnAddressError
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        ascii_host = host if ":" in host else host.encode("idna").decode("ascii")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        path.encode("ascii")
    except ValueError:
        raise NotAnAddressError from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise NotHttpsError
    if parts.username is not None or parts.password is not None:
        raise HasCredentialsError
    if not ascii_host or "%" in ascii_host or parts.fragment:
        raise NotAnAddressError
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    if not (port in PORTS or (allow_private and 0 < port <= LAST_PORT)):
        raise BadPortError
    return Target(parts.scheme, ascii_host, port, path)


def addresses_of(target: Target, *, allow_private: bool, resolve: Resolver | None = None) -> list[str]:
    """Return the addresses of the host, all of them public; raise UnknownHostError or PrivateAddressError.

    Call one of these addresses and no name: a second look-up might say something else.
    """
    literal = _literal(target.host)
    try:
        found = [str(literal)] if literal else (resolve or _look_up)(target.host, target.port)
    except (OSError, UnicodeError):
        raise UnknownHostError from None
    if not found:
        raise UnknownHostError
    if not allow_private and not all(is_public(one) for one in found):
        raise PrivateAddressError
    return found


def check_url(url: str, *, allow_private: bool, resolve: Resolver | None = None) -> None:
    """Raise an AddressError unless the URL may be called now."""
    addresses_of(target_of(url, allow_private=allow_private), allow_private=allow_private, resolve=resolve)


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, looking through IPv4 inside of IPv6."""
    found = _literal(address)
    if found is None:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            return False
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    if found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback or found.is_link_local:
        return False
    return found.is_global and not any(
        found in network for network in NOT_FOR_CALLS if network.version == found.version
    )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_kind, address in found))
