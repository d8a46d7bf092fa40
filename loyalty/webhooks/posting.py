"""One POST to an address that was checked, within its time. No redirect is followed, no proxy asked."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from loyalty.webhooks.addresses import AddressError, Target, UnknownHostError, addresses_of, target_of
from loyalty.webhooks.models import ANSWER_KEPT, Attempt

CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 10.0
USER_AGENT = "Loyalty-Webhooks/1"
SHORTEST_WAIT = 0.001  # A timeout of zero would mean not to wait at all.

Fault = Attempt.Fault


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an HTTP status and the first kilobyte of the body, or a fault. ``seconds``: how long it took."""

    status: int | None
    text: str
    fault: str
    seconds: float

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message."""
        return self.status is not None and 200 <= self.status < 300


def post(url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool) -> Answer:
    """Send the body and return the answer; never raises for what the other side, or the way to it, does."""
    started = time.monotonic()
    try:
        status, text = _post(url, body, headers, allow_private=allow_private, deadline=started + WHOLE_SECONDS)
    except UnknownHostError:
        return _failed(Fault.UNKNOWN_HOST, started)
    except AddressError:
        return _failed(Fault.REFUSED, started)
    except TimeoutError:
        return _failed(Fault.TIMEOUT, started)
    except ssl.SSLError:
        return _failed(Fault.TLS, started)
    except OSError:
        return _failed(Fault.NO_CONNECTION, started)
    except (http.client.HTTPException, ValueError):
        return _failed(Fault.BROKEN, started)
    return Answer(status, text, Fault.NONE, time.monotonic() - started)


def _failed(fault: str, started: float) -> Answer:
    return Answer(None, "", fault, time.monotonic() - started)


def _post(
    url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool, deadline: float
) -> tuple[int, str]:
    target = target_of(url, allow_private=allow_private)
    addresses = addresses_of(target, allow_private=allow_private)
    with _connected(target, addresses, deadline=deadline) as connected:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.auto_open = 0
        connection.sock = _Timed(connected, deadline)  # All that http.client uses of it.
        sent = {"Host": target.netloc, "User-Agent": USER_AGENT, "Content-Type": "application/json", **headers}
        connection.request("POST", target.path, body=body, headers={**sent, "Connection": "close"})
        answer = connection.getresponse()
        try:
            text = answer.read(ANSWER_KEPT)
        except http.client.IncompleteRead as error:
            text = error.partial
    return answer.status, text.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _connected(target: Target, addresses: list[str], *, deadline: float) -> socket.socket:
    """Return a connection to the first of the addresses that answers; a name is looked up no second time."""
    patience = min(deadline, time.monotonic() + CONNECT_SECONDS)
    fault: OSError | None = None
    for address in addresses:
        try:
            plain = socket.create_connection((address, target.port), timeout=_left(patience))
        except OSError as error:
            fault = error
            continue
        if target.scheme == "http":
            return plain
        try:
            plain.settimeout(_left(patience))
            return _tls().wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise
    raise fault or TimeoutError


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _left(deadline: float) -> float:
    return max(SHORTEST_WAIT, deadline - time.monotonic())


class _Timed:
    """A connection on which nothing lasts beyond the deadline, however slowly the other side drips."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self.connected, self.deadline = connected, deadline

    def sendall(self, data: bytes) -> None:
        self.hurry()
        self.connected.sendall(data)

    def makefile(self, *_mode: Any, **_options: Any) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Leave it to whoever connected: the answer is still to be read when http.client calls this."""

    def hurry(self) -> None:
        """Give the next step what is left of the time; raise TimeoutError where nothing is."""
        if time.monotonic() >= self.deadline:
            raise TimeoutError
        self.connected.settimeout(_left(self.deadline))


class _Incoming(io.RawIOBase):
    """What comes in on a timed connection."""

    def __init__(self, timed: _Timed) -> None:
        self.timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.timed.hurry()
        return self.timed.connected.recv_into(buffer)
