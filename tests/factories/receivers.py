"""A receiver of webhooks: a little HTTP server on this machine that answers as it is told and keeps what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Return whether the library takes it for genuine; the receiver's clock is the machine's."""
        return Webhook(secret).verify(self.body, self.headers) == self.json


@dataclass
class Receiver:
    """What it answers: a status (or what a function of the request says), headers and a body."""

    url: str = ""
    status: int | Callable[[Received], int] = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    got: list[Received] = field(default_factory=list)

    def types(self) -> list[str]:
        """Return the types of what came, in order."""
        return [one.json["type"] for one in self.got]

    def data(self, event_type: str) -> list[Any]:
        """Return the data of what came of one type."""
        return [one.json["data"] for one in self.got if one.json["type"] == event_type]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a receiver for as long as the block runs."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            status = receiver.status(received) if callable(receiver.status) else receiver.status
            receiver.got.append(received)
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(receiver.body)

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
