"""No webhook reaches into the operator's own network, whatever an address looks like."""

import socket

import pytest

from loyalty.webhooks.addresses import (
    BadPortError,
    HasCredentialsError,
    NotAnAddressError,
    NotHttpsError,
    PrivateAddressError,
    UnknownHostError,
    addresses_of,
    check_url,
    is_public,
    target_of,
)

PUBLIC = "93.184.215.14"


def says(*addresses):
    """Return a resolver that knows one host only by these addresses."""
    return lambda _host, _port: list(addresses)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fe80::1",
        "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2002:0a00:0001::1",
        "2001:0:4136:e378::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "fec0::1",
        "not an address",
    ],
)  # fmt: skip
def test_address_off_the_public_internet_is_refused(address):
    assert is_public(address) is False
    if ":" not in address and " " not in address:
        with pytest.raises(PrivateAddressError):
            check_url(f"https://{address}/hooks", allow_private=False)
    with pytest.raises(PrivateAddressError):
        check_url("https://shop.example/hooks", allow_private=False, resolve=says(address))


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_address_may_be_called(address):
    assert is_public(address) is True
    assert addresses_of(
        target_of("https://shop.example/", allow_private=False), allow_private=False, resolve=says(address)
    ) == [address]


def test_host_with_one_private_address_among_public_ones_is_refused():
    with pytest.raises(PrivateAddressError):
        check_url("https://shop.example/", allow_private=False, resolve=says(PUBLIC, "10.0.0.1"))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::1]", "localhost"])
def test_other_ways_to_write_this_machine_are_seen_through(host):
    with pytest.raises((PrivateAddressError, UnknownHostError)):
        check_url(f"https://{host}/", allow_private=False, resolve=_numbers_only)


def _numbers_only(host, port):
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    return [socket.inet_ntoa(socket.inet_aton(host))]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://shop.example/", NotHttpsError),
        ("ftp://shop.example/", NotHttpsError),
        ("file:///etc/passwd", NotHttpsError),
        ("shop.example/hooks", NotHttpsError),
        ("", NotHttpsError),
        ("https://", NotAnAddressError),
        ("https:///hooks", NotAnAddressError),
        ("https://user:password@shop.example/", HasCredentialsError),
        ("https://user@shop.example/", HasCredentialsError),
        ("https://shop.example@10.0.0.1/", HasCredentialsError),
        ("https://shop.example:22/", BadPortError),
        ("https://shop.example:80/", BadPortError),
        ("https://shop.example:6379/", BadPortError),
        ("https://shop.example:0/", BadPortError),
        ("https://shop.example:99999/", NotAnAddressError),
        ("https://shop.example:x/", NotAnAddressError),
        ("https://[::1/", NotAnAddressError),
        ("https://[fe80::1%25eth0]/", NotAnAddressError),
        ("https://shop.example/#part", NotAnAddressError),
        ("https://shop.example/a b", NotAnAddressError),
        ("https://shop.example\\@10.0.0.1/", NotAnAddressError),
        ("https://shop.example/\r\nX-Injected: 1", NotAnAddressError),
        ("https://shop.example/\x00", NotAnAddressError),
        ("https://shop.example/ž", NotAnAddressError),
        (f"https://{'a' * 64}.example/", NotAnAddressError),
        (f"https://shop.example/{'a' * 500}", NotAnAddressError),
    ],
)
def test_url_of_another_form_is_refused(url, error):
    with pytest.raises(error):
        check_url(url, allow_private=False, resolve=says(PUBLIC))


@pytest.mark.parametrize(
    ("url", "netloc", "path"),
    [
        ("https://shop.example", "shop.example", "/"),
        ("https://Shop.Example:443/hooks?a=1", "shop.example", "/hooks?a=1"),
        ("https://shop.example:8443/hooks", "shop.example:8443", "/hooks"),
        ("https://dućan.example/", "xn--duan-mta.example", "/"),
        ("https://[2606:4700::1111]/x", "[2606:4700::1111]", "/x"),
    ],
)
def test_url_is_taken_apart(url, netloc, path):
    target = target_of(url, allow_private=False)

    assert (target.netloc, target.path) == (netloc, path)


def test_name_without_an_address_is_unknown():
    def fails(_host, _port):
        raise socket.gaierror

    for resolve in (says(), fails):
        with pytest.raises(UnknownHostError):
            check_url("https://shop.example/", allow_private=False, resolve=resolve)


def test_switch_for_development_allows_this_machine_without_tls_and_any_port_but_nothing_else():
    check_url("http://127.0.0.1:5000/hooks", allow_private=True)
    with pytest.raises(NotHttpsError):
        check_url("ftp://127.0.0.1/", allow_private=True)
    with pytest.raises(HasCredentialsError):
        check_url("http://user@127.0.0.1/", allow_private=True)
