import socket

import pytest

from tests.sockets import SocketBlockedError


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.com", 443)])
def test_connection_to_another_machine_is_blocked(address):
    with pytest.raises(SocketBlockedError), socket.socket() as other:
        other.connect(address)


def test_name_of_another_machine_is_not_looked_up():
    with pytest.raises(SocketBlockedError):
        socket.getaddrinfo("example.com", 443)


def test_broker_answers(broker):
    assert broker.ping() is True
