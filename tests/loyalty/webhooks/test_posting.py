"""One POST, against real sockets: what comes back, and that nothing lasts longer than it may."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from loyalty.webhooks import posting


def post(url, body=b"{}", **headers):
    return posting.post(url, body=body, headers=headers, allow_private=True)


@contextmanager
def raw_server(serve):
    """Let ``serve(connection)`` answer each connection; yields the URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def accept():
        while not over.is_set():
            try:
                connection, _peer = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                serve(connection, over)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


@pytest.mark.parametrize(("status", "is_success"), [(200, True), (204, True), (299, True), (300, False), (400, False), (410, False), (500, False)])  # fmt: skip  # noqa: E501
def test_only_a_status_of_200_to_299_is_success(receiver, status, is_success):
    receiver.status = status

    answer = post(receiver.url)

    assert (answer.status, answer.fault, answer.is_success) == (status, "", is_success)


def test_body_and_headers_arrive(receiver):
    post(receiver.url, b'{"a": 1}', **{"webhook-id": "m-1"})

    (got,) = receiver.got
    assert (got.path, got.body, got.id) == ("/hooks", b'{"a": 1}', "m-1")
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "Loyalty-Webhooks/1"
    assert got.headers["host"] == receiver.url.split("/")[2]


def test_redirect_is_not_followed(receiver):
    receiver.status, receiver.headers = 302, {"Location": receiver.url + "/elsewhere"}

    answer = post(receiver.url)

    assert (answer.status, answer.is_success, len(receiver.got)) == (302, False, 1)


def test_only_the_first_kilobyte_of_the_answer_is_kept(receiver):
    receiver.status, receiver.body = 500, b"x" * 5_000

    assert post(receiver.url).text == "x" * 1_024


def test_answer_that_no_database_could_keep_is_made_keepable(receiver):
    receiver.status, receiver.body = 500, b"a\x00b\xff"

    assert post(receiver.url).text == "a\ufffdb\ufffd"


def test_nobody_listens_is_no_connection():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    answer = post(f"http://127.0.0.1:{port}/")

    assert (answer.status, answer.fault) == (None, "no-connection")


def test_private_address_is_refused_without_the_switch(receiver):
    answer = posting.post("https://127.0.0.1/hooks", body=b"{}", headers={}, allow_private=False)

    assert (answer.status, answer.fault, receiver.got) == (None, "refused", [])


@pytest.mark.parametrize("serve", ["silent", "dripping"])
def test_answer_that_does_not_come_in_time_is_given_up_however_it_dawdles(monkeypatch, serve):
    monkeypatch.setattr(posting, "WHOLE_SECONDS", 0.5)

    def dawdle(connection, over):
        connection.recv(65_536)
        if serve == "dripping":
            while not over.wait(0.05):
                connection.sendall(b"H" if over.is_set() else b"x")
        over.wait(5)

    started = time.monotonic()
    with raw_server(dawdle) as url:
        answer = post(url)

    assert (answer.status, answer.fault) == (None, "timeout")
    assert time.monotonic() - started < 3


def test_endless_answer_is_read_no_further_than_a_kilobyte():
    def pour(connection, over):
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.is_set():
            connection.sendall(b"x" * 1_024)

    with raw_server(pour) as url:
        answer = post(url)

    assert (answer.status, len(answer.text), answer.is_success) == (200, 1_024, True)


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 two hundred\r\n\r\n"])
def test_answer_that_is_no_http_is_broken(said):
    def speak(connection, _over):
        connection.recv(65_536)
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)

    with raw_server(speak) as url:
        assert post(url).fault in {"broken", "no-connection"}


def test_server_without_tls_is_a_fault_of_tls():
    def speak(connection, _over):
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(speak) as url:
        assert post(url.replace("http://", "https://")).fault == "tls"


def test_certificates_and_names_are_checked():
    context = posting._tls()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_connection_goes_to_the_address_that_was_checked_and_to_no_other(monkeypatch, receiver):
    asked = []

    def look_up(host, port, *args, **kwargs):
        asked.append(host)
        answer = "127.0.0.9" if asked.count("shop.example") > 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port))]

    monkeypatch.setattr("loyalty.webhooks.addresses.socket.getaddrinfo", look_up)
    port = receiver.url.split(":")[2].split("/")[0]

    answer = post(f"http://shop.example:{port}/hooks")

    assert (answer.status, receiver.got[0].headers["host"]) == (204, f"shop.example:{port}")
    assert [host for host in asked if host == "shop.example"] == ["shop.example"]
