"""A server on loopback in the place of a service, that answers what a test has it answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from indexer.encoder_service import wire

#: Gets the handler and what was asked; writes the answer.
Script = Callable[["Handler", wire.AskedEncoding], None]


class Handler(BaseHTTPRequestHandler):
    """POST alone."""

    script: Script
    gone: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with contextlib.suppress(OSError):  # who asked has had enough
            self.script(self, wire.read_asked(body))
        self.gone.set()

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def hostile(script: Script) -> Iterator[tuple[str, threading.Event]]:
    """Its address, and what is set once it has answered."""
    gone = threading.Event()
    handler = type("_Handler", (Handler,), {"script": staticmethod(script), "gone": gone})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", gone
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
