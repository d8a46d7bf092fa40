"""Keeps tests on this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class SocketBlockedError(Exception):
    """A test tried to reach another machine."""


@contextmanager
def only_this_machine() -> Iterator[None]:
    """Refuse every connection that would leave this machine, and every look-up of a name elsewhere."""
    find = socket.getaddrinfo

    def guarded_find(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not _is_here((host,)):
            raise SocketBlockedError(host)
        return find(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", guarded_find)
        yield


def _guarded(original: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def call(self: socket.socket, address: Any) -> Any:
        if not _is_here(address):
            raise SocketBlockedError(address)
        return original(self, address)

    return call


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # A socket in the file system.
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"
