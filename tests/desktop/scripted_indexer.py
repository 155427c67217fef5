"""An HTTP server that speaks the indexer's contract from a script: for stages, delays, failures."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine.contract import codec
from engine.contract.asking import Event
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings

TOKEN = "scripted"
COVERED = {"files": 3, "done": 3, "pending": 0, "complete": True, "message": ""}
IDLE: dict[str, Any] = {
    "version": "0.1.0",
    "state": "idle",
    "paused_until": None,
    "model": {"id": "minilm", "title": "MiniLM", "state": "ready"},
    "folders": [],
    "totals": {},
    "eta_s": None,
    "index_bytes": 12_000_000,
    "health": [],
}


def hit(path: str, **more: Any) -> dict[str, Any]:
    """A hit with everything a face may rely on."""
    return {
        "path": path,
        "kind": "note",
        "picture": None,
        "score": 0.5,
        "title": "",
        "snippet": "",
        "location": {},
        "evidence": [],
        "lanes": ["text"],
        "mtime": 1_760_000_000.0,
        "size": 1234,
        "more": [],
        "copies": [],
        "copy_count": 0,
        "offline": False,
        "state": "done",
        "reason": "",
        **more,
    }


class ScriptedIndexer:
    """Answers from `answers`; remembers what it was asked in `asked`."""

    def __init__(self, base: BaseDir, version: str = "0.1.0") -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.status: dict[str, Any] = dict(IDLE)
        self.stages: Callable[[dict[str, Any]], Iterable[dict[str, Any]]] = lambda _body: []
        #: Of an answer in sentences; None breaks the connection off there.
        self.events: Callable[[dict[str, Any]], Iterable[Event | None]] = lambda _body: []
        self.hung_up = threading.Event()  # whoever asked for sentences did not wait for the end
        self.answers: dict[tuple[str, str], Any] = {}
        self.settings: dict[str, Any] = Settings().as_dict()
        self.status["settings_revision"] = self.status["files_revision"] = 0
        self.pictures: Callable[[str, dict[str, str]], bytes | None] = lambda _target, _q: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        host, port = self._server.server_address[:2]
        base.endpoint.write_text(
            json.dumps(
                {"url": f"http://{host!s}:{port}", "token": TOKEN, "pid": 1, "version": version}
            )
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def bodies(self, method: str, target: str) -> list[dict[str, Any]]:
        """What was sent to a target so far."""
        return [body for m, t, body in list(self.asked) if (m, t) == (method, target)]

    def answer(self, method: str, target: str, body: dict[str, Any]) -> Any:
        """The script; a callable is called with what was sent."""
        known: dict[tuple[str, str], Any] = {
            ("GET", "/v1/status"): self.status,
            ("GET", "/v1/recent"): {"files": []},
            ("GET", "/v1/values"): {"values": {}},
            ("GET", "/v1/problems"): {"problems": [], "counts": {}},
            ("GET", "/v1/models"): {"models": [], "current": "minilm"},
            ("GET", "/v1/settings"): self._settings(),
            ("PATCH", "/v1/settings"): self._change,
            **self.answers,
        }
        found = known.get((method, target))
        return found(body) if callable(found) else found

    def change_setting(self, key: str, value: Any) -> None:
        """Another face changes a setting."""
        self.settings[key] = value
        self.status["settings_revision"] += 1

    def _settings(self) -> dict[str, Any]:
        revision = self.status["settings_revision"]
        return {"values": dict(self.settings), "table": {}, "revision": revision}

    def _change(self, body: dict[str, Any]) -> Any:
        for key, value in body.items():
            if self.settings.get(key) != value:
                self.change_setting(key, value)
        return {"restart": [], **self._settings()}

    def _handler(indexer) -> type[BaseHTTPRequestHandler]:  # noqa: C901  # a small server
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query).items()}
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else query
                indexer.asked.append((self.command, parts.path, body))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self._send(401, {"error": {"message": "No token.", "hint": "", "path": None}})
                elif parts.path == "/v1/search":
                    self._stages(body)
                elif parts.path == "/v1/ask" and ("POST", parts.path) not in indexer.answers:
                    self._sentences(body)
                elif parts.path in ("/v1/thumb", "/v1/render"):
                    self._picture(parts.path, query)
                else:
                    answer = indexer.answer(self.command, parts.path, body)
                    self._send(*_with_status(answer))

            do_GET = do_POST = do_PATCH = do_DELETE = _serve

            def _send(self, status: int, data: Any) -> None:
                self._write(status, json.dumps(data).encode(), "application/json")

            def _write(self, status: int, data: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _picture(self, target: str, query: dict[str, str]) -> None:
                data = indexer.pictures(target, query)
                self._write(404 if data is None else 200, data or b"", "image/png")

            def _stages(self, body: dict[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson")
                self.end_headers()
                for stage in indexer.stages(body):
                    line = {"coverage": COVERED, "weak": False, "took_ms": 1.0, **stage}
                    try:
                        self.wfile.write(json.dumps(line).encode() + b"\n")
                        self.wfile.flush()
                    except OSError:
                        return  # the face cancelled

            def _sentences(self, body: dict[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson")
                self.end_headers()
                self.wfile.flush()
                watch = threading.Thread(target=self._watch, daemon=True)
                watch.start()
                for event in indexer.events(body):
                    if event is None:
                        break
                    try:
                        self.wfile.write(codec.encode(event) + b"\n")
                        self.wfile.flush()
                    except OSError:
                        break
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                watch.join()

            def _watch(self) -> None:
                """Until the other side closes its end."""
                with suppress(OSError):
                    if not self.connection.recv(1):
                        indexer.hung_up.set()

        return Handler


def _with_status(answer: Any) -> tuple[int, Any]:
    """HTTP status and body; an InklingError in the script is refused as the indexer does."""
    if answer is None:
        answer = InklingError("Not there.")
    if not isinstance(answer, InklingError):
        return 200, answer
    return 400, {"error": {"message": answer.message, "hint": answer.hint, "path": None}}
