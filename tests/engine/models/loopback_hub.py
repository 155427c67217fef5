"""A hub on this machine that serves the tiny jina-v4, with faults to order."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from engine.models.registry import model_spec
from tests.engine.encoders.jina_tiny import CHECKPOINT

SPEC = model_spec("jina-v4")
BIG = "model.safetensors"


class Hub(ThreadingHTTPServer):
    """Serves a folder the way the hub does, with faults to order."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.ranges: list[str | None] = []  # asked for of the big file
        self.break_after = 0  # bytes, of each answer; 0 never
        self.ignore_ranges = False
        self.status = 200
        self.extra: list[dict[str, object]] = []  # entries of the list
        self.flip = False  # send a wrong byte
        self.slow_s = 0.0  # pause in the middle of the big file

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def listing(self) -> list[dict[str, object]]:
        entries: list[dict[str, object]] = [{"type": "directory", "path": "adapters", "oid": "x"}]
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
                name = path.relative_to(self.folder).as_posix()
                entry: dict[str, object] = {"type": "file", "path": name, "size": len(data)}
                entry["oid"] = blob
                if name.endswith(".safetensors"):
                    entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
                entries.append(entry)
        return entries + self.extra


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        resolve = f"/{SPEC.source}/resolve/{SPEC.revision}/"
        if hub.status != 200:
            self.send_error(hub.status)
        elif self.path == f"/api/models/{SPEC.source}/tree/{SPEC.revision}?recursive=true":
            self._answer(json.dumps(hub.listing()).encode())
        elif self.path.startswith(resolve):
            self._file(self.path.removeprefix(resolve))
        else:
            self.send_error(404)

    def _file(self, name: str) -> None:
        hub, data = self.server, (self.server.folder / name).read_bytes()
        wanted = self.headers["Range"]
        if name == BIG:
            hub.ranges.append(wanted)
            if hub.flip:
                data = data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if hub.ignore_ranges:
            start = 0
        self._answer(data[start:], 206 if start else 200)

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        big = len(body) > 100_000
        limit = self.server.break_after if big else 0
        body = body[:limit] if limit else body
        if big and self.server.slow_s:
            self.wfile.write(body[: len(body) // 2])
            time.sleep(self.server.slow_s)
            body = body[len(body) // 2 :]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running(folder: Path = CHECKPOINT) -> Iterator[Hub]:
    """A hub that answers until the end of the block."""
    server = Hub(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
