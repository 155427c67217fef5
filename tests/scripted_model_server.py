"""A server on loopback that answers as OpenAI's API does, from a script: exact streams, refusals,
delays, deaths; and that knows when nobody listens any more."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import PATIENCE

Body = dict[str, Any]
#: What answers a question: parts to be sent one after another; bytes go as they are.
Script = Callable[[Body], Iterable[Any]]


class Refusal(Exception):
    """A status in place of a stream."""

    def __init__(self, status: int, message: str = "refused", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class Dies(Exception):
    """The connection is cut in the midst of a stream."""


def said(*texts: str, usage: int | None = None, ending: str | None = "stop") -> list[Any]:
    """The parts of a plain answer."""
    parts: list[Any] = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    if ending is not None:
        parts.append({"choices": [{"index": 0, "delta": {}, "finish_reason": ending}]})
    if usage is not None:
        parts.append({"choices": [], "usage": {"prompt_tokens": usage}})
    return parts


class ScriptedModelServer:
    """Runs until closed. `asked` are the bodies of questions, `requests` all lines of requests with
    their headers; `gone` is set when a listener went before its stream was at its end."""

    def __init__(self, script: Script | None = None, *, host: str = "127.0.0.1") -> None:
        self.script: Script = script or (lambda _body: said("Nothing. [1]"))
        self.models: Any = {"data": [{"id": "small", "object": "model", "owned_by": "test"}]}
        #: Other paths: an answer, or a callable of the body.
        self.paths: dict[str, Any] = {}
        self.asked: list[Body] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.gone = threading.Event()
        self.mark = b"data: [DONE]\n\n"  # what ends a stream
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = type("_Server", (ThreadingHTTPServer,), {"address_family": kind, "script": self})
        self._server = made((host, 0), _Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        self.port = int(self._server.server_address[1])
        self.origin = (
            f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        )
        self.url = f"{self.origin}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> ScriptedModelServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def messages(self) -> str:
        """All that the last question held, as text."""
        return json.dumps(self.asked[-1]["messages"], ensure_ascii=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def scripted(self) -> ScriptedModelServer:
        made: ScriptedModelServer = self.server.script  # type: ignore[attr-defined]
        return made

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        server = self.scripted
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        line = f"{self.command} {self.path}"
        server.requests.append((line, {k.lower(): v for k, v in self.headers.items()}))
        known = {"/v1/models": server.models, **server.paths}
        try:
            if self.path == "/v1/chat/completions":
                server.asked.append(body)
                self._stream(iter(server.script(body)))
            elif self.path in known:
                answer = known[self.path]
                self._json(answer(body) if callable(answer) else answer)
            else:
                raise Refusal(404, "no such path")
        except Refusal as refusal:
            self._refuse(refusal)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = _serve

    def _json(self, value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(200)
        kind = "text/html" if isinstance(value, bytes) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, refusal: Refusal) -> None:
        data = json.dumps({"error": {"message": refusal.message}}).encode()
        self.send_response(refusal.status)
        for name, value in refusal.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, parts: Iterator[Any]) -> None:
        first = next(parts, None)  # a refusal is raised before anything is sent
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        part = first
        try:
            while part is not None:
                self._chunk(_event(part))
                if self._gone():
                    raise OSError
                part = next(parts, None)
            if self.scripted.mark:
                self._chunk(self.scripted.mark)
            self._chunk(b"")
        except Dies:
            self.close_connection = True
            self.connection.close()
        except OSError:
            self.scripted.gone.set()
            self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _gone(self) -> bool:
        ready, _, _ = select.select([self.connection], [], [], 0)
        return bool(ready) and self.connection.recv(1, socket.MSG_PEEK) == b""


def _event(part: Any) -> bytes:
    return part if isinstance(part, bytes) else b"data: " + json.dumps(part).encode() + b"\n\n"


def endless(server: ScriptedModelServer, first: Iterable[Any] = ()) -> Script:
    """Goes on until nobody listens; small, so that what is written is seen to be lost."""

    def script(_body: Body) -> Iterator[Any]:
        yield from first
        waiter = threading.Event()
        for _ in range(int(PATIENCE * 50)):
            yield {"choices": [{"index": 0, "delta": {"content": "word "}}]}
            if waiter.wait(0.02) or server.gone.is_set():
                return

    return script


def silent(server: ScriptedModelServer, seconds: float = PATIENCE) -> Script:
    """Sends nothing at all until nobody listens: comments, which no client shows, tell that."""

    def script(_body: Body) -> Iterator[Any]:
        waiter = threading.Event()
        yield b": \n\n"
        for _ in range(int(seconds * 50)):
            if waiter.wait(0.02) or server.gone.is_set():
                return
            yield b": \n\n"

    return script
