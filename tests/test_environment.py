import os
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


def test_settings_are_those_of_this_process(settings):
    of_this_process = {name: os.environ[name] for name in ("PORT", "VAR_DIR", "REDIS_URL")}

    assert {name: str(getattr(settings, name)) for name in of_this_process} == of_this_process
