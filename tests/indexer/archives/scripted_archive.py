"""A service that speaks the wire format of an archive and does what a test tells it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine.contract import codec
from engine.contract.types import Answer, Hit, Statistics
from tests.waiting import PATIENCE

ABOUT = {
    "archive_id": "a1", "name": "The laboratory", "model": "e5-minilm",
    "space": "e5-minilm-1-512", "commit": 3, "version": "1.0",
}  # fmt: skip


def answer(*paths: str, space: str = "e5-minilm-1-512") -> bytes:
    """Files that answer, the first best, as a service has them."""
    hits = tuple(
        Hit(path, "note", score=1.0 - n / 10, title=path, snippet="words", size=n + 1,
            features={"dense": 0.9 - n / 10, "document": 0.9 - n / 10, "late": 0.9 - n / 10,
                      "fused": 1.0, "rescored": 1.0, "probability": 0.9 - n / 10})
        for n, path in enumerate(paths)
    )  # fmt: skip
    told = Statistics("e5-minilm", space, 100, {"word": 10}, {"length": 0.2})
    return codec.encode(Answer(hits, statistics=told))


class ScriptedArchive:
    """Answers 200 with `found`, unless `reply` says otherwise; waits while `gate` is not set."""

    def __init__(self) -> None:
        self.found = answer("/srv/lab/one.md")
        self.reply: Callable[[str], tuple[int, bytes, dict[str, str]] | None] = lambda path: None
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()  # a search has come
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.url = ""

    def told(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, bytes, Any]:
        self.requests.append((path, headers, body))
        if path == "/v1/search":
            self.arrived.set()
            assert self.gate.wait(PATIENCE)
        if (special := self.reply(path)) is not None:
            return special
        if headers.get("Authorization") != "Bearer secret":
            return 401, b"{}", {}
        if path == "/v1/about":
            return 200, json.dumps(ABOUT).encode(), {}
        if path.startswith("/v1/text"):
            return 200, b'{"text": "all of it"}', {}
        return 200, self.found, {}


@contextmanager
def serving(tls: tuple[str, str] | None = None) -> Iterator[ScriptedArchive]:
    """One that listens on this machine."""
    script = ScriptedArchive()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            status, data, more = script.told(self.path, dict(self.headers), body)
            try:
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                self.close_connection = True  # nobody wants to know any more

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    script.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.gate.set()
        server.shutdown()
        server.server_close()
