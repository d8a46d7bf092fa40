from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loyalty.replaying.client import Client, ServerAwayError, StoppedError, TurnedAwayError


class Answering(BaseHTTPRequestHandler):
    """Gives the next of the answers it was told; 0 breaks the connection."""

    protocol_version = "HTTP/1.1"
    answers: list[int]
    seen: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(f"{self.path} {self.headers['Authorization']}")
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            self.close_connection = True
            return
        body = json.dumps({"code": "said", "detail": "so"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serving() -> Iterator[Callable[..., str]]:
    """Start a server that gives these answers, the last one again and again; return its address."""
    servers = []

    def serve(*answers: int) -> str:
        Answering.answers, Answering.seen = list(answers), []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/shop"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def client(url: str, *, patience: float = 5, stop: threading.Event | None = None) -> Client:
    return Client(url=url, key="secret", stop=stop or threading.Event(), patience=patience)


def test_call_waits_out_broken_connections_and_503(serving):
    answer = client(serving(0, 503, 200)).call("POST", "members/", {})

    assert (answer.status, answer.body) == (200, {"code": "said", "detail": "so"})
    assert Answering.seen == ["/shop/api/v1/members/ Bearer secret"] * 3


def test_call_waits_longer_than_its_patience_for_a_server_that_is_only_busy(serving):
    assert client(serving(429, 429, 200), patience=0.1).call("POST", "members/", {}).status == 200


def test_call_gives_up_on_a_dead_server_after_its_patience():
    before = time.monotonic()

    with pytest.raises(ServerAwayError):
        client("http://127.0.0.1:1", patience=0.5).call("GET", "members/")

    assert time.monotonic() - before < 3


def test_call_returns_a_lasting_500_after_a_few_tries(serving):
    answer = client(serving(500)).call("POST", "members/", {})

    assert (answer.status, answer.code) == (500, "server-error-500")
    assert len(Answering.seen) == 4


@pytest.mark.parametrize("status", [401, 403, 302])
def test_call_that_is_turned_away_is_not_repeated(serving, status):
    with pytest.raises(TurnedAwayError):
        client(serving(status)).call("POST", "members/", {})

    assert len(Answering.seen) == 1


def test_call_ends_when_the_load_is_stopped():
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()

    with pytest.raises(StoppedError):
        client("http://127.0.0.1:1", stop=stop).call("GET", "members/")


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://[::1", "http://h:99999"])
def test_client_refuses_what_is_no_address(url):
    with pytest.raises(TurnedAwayError):
        client(url)


def test_client_refuses_a_key_that_no_header_can_carry():
    with pytest.raises(TurnedAwayError):
        Client(url="http://127.0.0.1:8000", key="one\ntwo", stop=threading.Event())
