"""The parent's side of the encoder worker: priorities, restart, bisection, unload when idle.

Imports no torch, and holds no model but for the questions of an awake one. Queries go before
batches; a worker that dies gets its requests again, and an input that ends it twice is set aside
while its neighbours survive.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.awake import RETRY_LOAD_S, AwakeQueries
from engine.encoders.process import EncoderProcess
from engine.encoders.requests import BATCH, FATAL, QUERY, Call, Request, ended_by, not_loaded
from engine.models.registry import ModelSpec

log = logging.getLogger(__name__)

State = Literal["unloaded", "loading", "ready", "failed"]

_BATCHES_IN_FLIGHT = 2  # one running, one waiting in the worker, so that it never idles


@dataclass(slots=True)
class _Failure:
    """Why the model can't be loaded, and when that was found."""

    error: InklingError
    at: float = field(default_factory=time.monotonic)


class EncoderPool:
    """Encodes through a worker process that is started on demand and stopped when idle."""

    def __init__(
        self,
        spec: ModelSpec,
        base: BaseDir,
        *,
        idle_s: float = 60.0,
        threads: int | None = None,
        folder: Path | None = None,
    ) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self.fast = False  # loaded where a few texts cost a person no wait
        self._folder = folder or base.models / spec.id
        self._awake = AwakeQueries(spec, self._folder) if spec.awake else None
        self.idle_s = idle_s
        self._threads = threads
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._waiting: list[tuple[int, int, Request]] = []  # heap by priority, then age
        self._in_flight: dict[int, Request] = {}
        self._process: EncoderProcess | None = None
        self._ready = False
        self._failure: _Failure | None = None
        self._load_deaths = 0
        self._last_work = time.monotonic()
        self._closed = False

    def wake(self) -> None:
        """Begin to load what encodes questions, where that never sleeps; does not wait."""
        if self._awake is not None:
            self._awake.wake()

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        """Before any waiting batch; blocks."""
        if self._awake is not None:
            return self.encode_queries_by_adapter(queries, [adapter])[adapter]
        return self._run("queries", list(queries), adapter, QUERY, len(queries) or 1)

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> Mapping[Adapter, list[Encoding]]:
        """Questions for each of several adapters, in one forward where the adapters share it."""
        if self._awake is None:
            return {adapter: self.encode_queries(queries, adapter) for adapter in adapters}
        if self._closed:
            raise InklingError("Inkling is stopping.")
        return self._awake.encode(queries, adapters)

    def encode_texts(
        self, texts: Sequence[TextInput], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        """Any number of texts; `urgent` when a person waits for them."""
        # Neighbours in length share a request, so that padding stays small.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i].text) + len(texts[i].context))
        items = [[texts[i].text, texts[i].context] for i in order]
        priority = QUERY if urgent else BATCH
        return self._run("texts", items, adapter, priority, self.spec.texts_per_request, order)

    def encode_images(
        self, paths: Sequence[str], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        """Picture files, one a request; `urgent` for a picture that is the query."""
        return self._run("images", list(paths), adapter, QUERY if urgent else BATCH, 1)

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """One document with its chunks, in one request: they share a forward."""
        if not spans:
            return []
        call = Call(len(spans))
        items = [text, [list(span) for span in spans], context]
        positions = list(range(len(spans)))
        self._submit([Request("chunks", adapter, items, positions, call, BATCH)])
        return call.result()

    def close(self) -> None:
        """Stop for good; whoever waits gets an error."""
        with self._lock:
            self._closed = True
            process = self._drop_process()
            self._fail_all(InklingError("Inkling is stopping."))
        if process is not None:
            process.stop()

    @property
    def state(self) -> State:
        with self._lock:
            if self._process is not None:
                return "ready" if self._ready else "loading"
            return "failed" if self._failure else "unloaded"

    def pids(self) -> list[int]:
        """Process ids of the workers that live now."""
        with self._lock:
            return [] if self._process is None else [self._process.pid]

    # -- requests ---------------------------------------------------------------------------

    def _run(
        self,
        op: str,
        items: list[Any],
        adapter: Adapter,
        priority: int,
        size: int,
        order: Sequence[int] | None = None,
    ) -> list[Encoding]:
        if not items:
            return []
        call = Call(len(items))
        positions = list(range(len(items)) if order is None else order)
        self._submit(
            [
                Request(op, adapter, items[i : i + size], positions[i : i + size], call, priority)
                for i in range(0, len(items), size)
            ]
        )
        return call.result()

    def _submit(self, requests: list[Request]) -> None:
        with self._lock:
            if self._closed:
                raise InklingError("Inkling is stopping.")
            for request in requests:
                self._push(request)
            self._start()
        self._pump()

    def _push(self, request: Request) -> None:
        request.id = next(self._ids)
        heapq.heappush(self._waiting, (request.priority, request.id, request))

    def _pump(self) -> None:
        """Send what may be sent now."""
        while True:
            with self._lock:
                process, request = self._process, self._next()
                if process is None or request is None:
                    return
                heapq.heappop(self._waiting)
                request.sent = self._last_work = time.monotonic()
                self._in_flight[request.id] = request
            # Outside the lock: the pipe may be full. A dead worker is noticed by its reader.
            process.send(request.message())

    def _next(self) -> Request | None:
        """The request to send now, if any. One that was there when a worker died runs alone."""
        if not self._waiting or not self._ready:
            return None
        request = self._waiting[0][2]
        running = self._in_flight.values()
        if any(r.crashes for r in running) or (request.crashes and running):
            return None
        batches = sum(r.priority == BATCH for r in running)
        if request.priority == BATCH and batches >= _BATCHES_IN_FLIGHT:
            return None
        return request

    # -- the worker -------------------------------------------------------------------------

    def _start(self) -> None:
        if self._process is not None or self._closed:
            return
        if self._failure and time.monotonic() - self._failure.at < RETRY_LOAD_S:
            self._fail_all(self._failure.error)
            return
        self._failure = None
        start = {"spec": self.spec.to_message(), "folder": str(self._folder)}
        process = EncoderProcess(start, self._threads, self._on_message, self._on_exit)
        self._process = process
        self._ready = False
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def _drop_process(self) -> EncoderProcess | None:
        process, self._process, self._ready, self.fast = self._process, None, False, False
        return process

    def _on_message(self, process: EncoderProcess, message: dict[str, Any]) -> None:
        with self._lock:
            if process is not self._process:
                return
            if "notes" in message:
                self.notes = message["notes"]
            if "ready" in message:
                self._ready = True
                self.fast = bool(message["fast"])
                self._load_deaths = 0
            elif "failed" in message:
                self._load_failed(InklingError.of(message["failed"]))
            else:
                self._finish(message)
            self._last_work = time.monotonic()
        self._pump()

    def _finish(self, message: dict[str, Any]) -> None:
        request = self._in_flight.pop(message["id"])
        if "error" not in message:
            encodings = [Encoding(**encoding) for encoding in message["encodings"]]
            request.call.settle(request.positions, encodings)
        elif len(request.items) > 1 and request.op != "chunks":
            for half in request.halves():
                self._push(half)
        else:
            request.call.settle(request.positions, InklingError.of(message["error"]))

    def _on_exit(self, process: EncoderProcess, code: int) -> None:
        with self._lock:
            if process is not self._process:
                return
            was_ready = self._ready
            self._drop_process()
            log.warning("the encoder worker ended with %d", code)
            if was_ready:
                self._crashed()
            else:
                self._load_deaths += 1
                if self._load_deaths >= FATAL:
                    self._load_failed(not_loaded(self.spec.title))
            if self._waiting:
                self._start()
        self._pump()

    def _load_failed(self, error: InklingError) -> None:
        process = self._drop_process()
        if process is not None:
            process.kill()
        self._load_deaths = 0
        self._failure = _Failure(error)
        self._fail_all(error)

    def _crashed(self) -> None:
        """Queue again what was in flight, split what was there twice, set aside single inputs."""
        for request in self._in_flight.values():
            request.crashes += 1
            if request.crashes < FATAL:
                self._push(request)
            elif len(request.items) > 1 and request.op != "chunks":
                for half in request.halves():
                    self._push(half)
            else:
                request.call.settle(request.positions, ended_by(request))
        self._in_flight.clear()

    def _fail_all(self, error: InklingError) -> None:
        for request in [r for _, _, r in self._waiting] + list(self._in_flight.values()):
            request.call.settle(request.positions, error)
        self._waiting.clear()
        self._in_flight.clear()

    def _watch(self, process: EncoderProcess) -> None:
        """Unload when idle, kill when hung; ends with its worker."""
        while not process.ended.wait(min(5.0, self.idle_s / 4)):
            now = time.monotonic()
            with self._lock:
                if process is not self._process:
                    return
                due = [r.sent + r.deadline_s for r in self._in_flight.values()]
                busy = bool(due or self._waiting or not self._ready)
                idle = not busy and now - self._last_work >= self.idle_s
                if idle:  # dropped under the lock, so that no request is sent to it any more
                    self._drop_process()
            if idle:
                process.stop()
            elif due and now > min(due):
                process.kill()
