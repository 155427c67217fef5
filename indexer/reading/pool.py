"""Worker processes that read untrusted files, each with a cap on processor time and memory.

Two crews: one for indexing, of lowest priority, and one for people, who wait for a preview or for
the words of a picture they search with. Neither waits for the other.
"""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.contract.types import Look
from indexer.reading import extract, messages
from indexer.reading.deadline import IDLE_S
from indexer.reading.extract.base import (
    CHARACTERS,
    OCR_SECONDS,
    ExtractError,
    Extraction,
    OcrPage,
)
from indexer.reading.worker_process import KilledError, WorkerProcess
from indexer.sources.systems import in_cloud, in_use, reachable, within

# Seconds of processor time (see indexer.reading.deadline).
_DEFAULT_S = 60.0
_RENDER_S = 20.0
_START_S = 15.0  # a worker's imports come on top of its first request
_URGENT_IDLE_LIMIT_S = 60.0  # by the clock, for people do not wait ten minutes for a drive
_FILES_PER_WORKER = 2000  # then it is replaced, whatever a library may have leaked
_WORN = 0.6  # of the memory cap, still held after a file: replaced before the next
_ROOM = 3_000_000_000  # address space beyond the memory cap: libraries map far more than they touch
#: Workers for people: a preview does not wait for a large picture that is searched with.
_URGENT_WORKERS = 2
#: They are let go when nobody asked for so long: paging through results keeps them.
_URGENT_IDLE_S = 60.0


class ExtractorPool:
    """Reads files in child processes; each calling thread waits for its own file."""

    def __init__(
        self,
        scratch: Path,
        workers: int = 2,
        memory_bytes: int = 1_500_000_000,
        processor_s: float = 3600.0,
        idle_s: float = IDLE_S,
        ocr_seconds: float = OCR_SECONDS,
        urgent_idle_s: float = _URGENT_IDLE_S,
    ) -> None:
        """`processor_s` bounds what each family of files allows itself; what stands still for
        `idle_s` by the clock is given up. `ocr_seconds` go to the pages of a file at a time."""
        scratch.mkdir(parents=True, exist_ok=True)
        self.scratch = scratch.resolve()
        self.memory_bytes = memory_bytes
        self.processor_s, self.idle_s, self.ocr_seconds = processor_s, idle_s, ocr_seconds
        self.restarts = 0  # workers that died or were killed for what they did
        self.layers: list[str] = []  # what the kernel holds a worker with, known after the first
        self._readable: tuple[str, ...] = ("/",)
        self._generation = 0  # workers of an earlier one are replaced before their next file
        self._closed = False
        self._lock = threading.Lock()
        self._live: set[WorkerProcess] = set()
        self._for_work = _Crew(workers, self._drop)
        self._for_people = _Crew(_URGENT_WORKERS, self._drop, urgent=True, idle_s=urgent_idle_s)

    def confine(self, roots: Sequence[str]) -> None:
        """Let workers read below these folders only; other files are copied to scratch first."""
        self._readable = tuple(os.path.realpath(root) for root in roots)
        self._generation += 1

    def extract(
        self,
        path: str,
        *,
        ocr: bool = True,
        pixels: bool = False,
        max_pixels: int = 3_600_000,
        thumbs: bool = True,
        look: bool = False,
        ocr_pages: Sequence[OcrPage] = (),
        characters: int = CHARACTERS,
        guarded: bool = True,
        urgent: bool = False,
    ) -> tuple[Extraction, Path]:
        """What the file holds, and the scratch folder with its pictures: the caller removes it.

        `look`: with how a picture looks. `ocr_pages`: of the same contents, read before.
        `characters`: of text, at most. `guarded`: what lies in it under a secret's name stays
        closed. `urgent` where a person waits. ExtractError with its reason where the file gives
        nothing, its worker died or hung.
        """
        folder = self._folder()
        options = {"scratch": str(folder), "ocr": ocr, "pixels": pixels, "thumbs": thumbs}
        options |= {"max_pixels": max_pixels, "look": look}
        options |= {"characters": characters, "guarded": guarded}
        known = {"ocr_pages": messages.pack_pages(ocr_pages), "ocr_seconds": self.ocr_seconds}
        row = extract.pick(Path(path), b"")
        crew = self._for_people if urgent else self._for_work
        try:
            request = {
                "op": "extract",
                "path": self._within_reach(path, folder),
                "options": options | known,
            }
            reply = self._ask(crew, request, row.processor_s if row else _DEFAULT_S)
            return messages.unpack_extraction(reply["ok"]), folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def look(self, path: str, *, urgent: bool = False) -> Look:
        """How a picture looks, no more; ExtractError as `extract`, "encoder" where none can be
        looked at."""
        folder = self._folder()
        crew = self._for_people if urgent else self._for_work
        try:
            request = {"op": "look", "path": self._within_reach(path, folder)}
            return messages.unpack_look(self._ask(crew, request, _DEFAULT_S)["ok"])
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def pixels(self, path: str) -> tuple[list[tuple[int | None, Path]], Path]:
        """Pictures of a file for a model that sees, with the pages they are, and the folder that
        holds them: the caller removes it. ExtractError as `extract`."""
        folder = self._folder()
        try:
            request = {"op": "pixels", "path": self._within_reach(path, folder)}
            reply = self._ask(self._for_work, request | {"folder": str(folder)}, _DEFAULT_S)
            return [(page, folder / name) for page, name in reply["ok"]], folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def render(
        self, path: str, page: int | None, width: int, most_pixels: int | None = None
    ) -> bytes:
        """A page or picture as PNG, `width` pixels wide; at once, since a person waits. With
        `most_pixels` it has no more than these, and may be a JPEG."""
        folder = self._folder()
        out = folder / "page.png"
        try:
            request = {"op": "render", "path": self._within_reach(path, folder), "page": page or 1}
            request |= {"width": width, "out": str(out), "most_pixels": most_pixels}
            self._ask(self._for_people, request, _RENDER_S)
            return out.read_bytes()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def pids(self) -> list[int]:
        """The processes that live now."""
        with self._lock:
            return [worker.process.pid for worker in self._live]

    def release(self) -> None:
        """Let go of workers that have nothing to do; they come back when needed."""
        self._for_work.release()
        self._for_people.release()

    def close(self) -> None:
        """End all workers; whoever waits for one gets an ExtractError."""
        self._closed = True
        self._for_people.close()
        with self._lock:
            live = list(self._live)
        for worker in live:
            self._drop(worker)

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def _within_reach(self, path: str, folder: Path) -> bytes:
        real = os.path.realpath(path)
        with suppress(OSError):  # said when it is opened
            if in_cloud(os.path.basename(real), os.stat(reachable(real))):
                raise ExtractError("placeholder")
        if any(within(real, root) for root in self._readable):
            return os.fsencode(reachable(path))
        try:
            return os.fsencode(shutil.copy(real, folder))
        except OSError as error:
            reason = "in-use" if in_use(error) else "unreadable"
            raise ExtractError(reason, error.strerror or str(error)) from error

    def _ask(self, crew: _Crew, request: dict[str, Any], processor_s: float) -> dict[str, Any]:
        """Have a worker answer; one that was killed from outside is not this file's fault."""
        processor_s = min(processor_s, self.processor_s)
        try:
            reply = self._ask_once(crew, request, processor_s)
        except KilledError:
            if self._closed:
                raise
            reply = self._ask_once(crew, request, processor_s)
        if reply.get("denied") and os.access(request["path"], os.R_OK):
            # Its root was not mounted when the worker's rights were fixed.
            self._generation += 1
            reply = self._ask_once(crew, request, processor_s)
        if "reason" in reply:
            raise ExtractError(str(reply["reason"]), str(reply.get("detail", "")))
        return reply

    def _ask_once(self, crew: _Crew, request: dict[str, Any], processor_s: float) -> dict[str, Any]:
        idle_s = min(self.idle_s, _URGENT_IDLE_LIMIT_S) if crew.urgent else self.idle_s
        worker = crew.take()
        try:
            if worker is not None and (worker.dead() or worker.generation != self._generation):
                self._drop(worker)
                worker = None
            if worker is None:
                worker = self._start(urgent=crew.urgent)
                processor_s += _START_S
            try:
                reply = worker.ask(request, processor_s, idle_s, self.memory_bytes)
            except ExtractError:
                self._drop(worker)
                with self._lock:
                    self.restarts += not self._closed
                worker = None
                raise
            self.layers = reply.get("layers", [])
            worn = worker.files >= _FILES_PER_WORKER or reply.get("retire")
            if worn or reply.get("resident", 0) > _WORN * self.memory_bytes:
                self._drop(worker)
                worker = None
        finally:
            crew.give_back(worker)
        return reply

    def _start(self, *, urgent: bool) -> WorkerProcess:
        room = self.memory_bytes + _ROOM
        worker = WorkerProcess(self.scratch, self._readable, room, self._generation, urgent=urgent)
        with self._lock:
            if not self._closed:
                self._live.add(worker)
                return worker
        worker.kill()
        raise ExtractError("crashed", "The pool is closed.")

    def _drop(self, worker: WorkerProcess) -> None:
        worker.kill()
        with self._lock:
            self._live.discard(worker)


class _Crew:
    """Workers that share one queue of requests; each is started when first needed."""

    def __init__(
        self,
        size: int,
        drop: Callable[[WorkerProcess], None],
        *,
        urgent: bool = False,
        idle_s: float | None = None,
    ) -> None:
        """`idle_s`: after so long without a request all are let go; None: only when told."""
        self.urgent = urgent
        self._drop, self._idle_s = drop, idle_s
        self._resting: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(size):
            self._resting.put(None)
        self._lock = threading.Lock()
        self._asked = 0.0  # when one was last taken or given back, by the monotonic clock
        self._timer: threading.Timer | None = None
        self._closed = False

    def take(self) -> WorkerProcess | None:
        """A worker, or leave to start one; waits while all have work."""
        worker = self._resting.get()
        self._asked = time.monotonic()
        return worker

    def give_back(self, worker: WorkerProcess | None) -> None:
        """It has answered; None if it is no more."""
        self._asked = time.monotonic()
        self._resting.put(worker)
        if worker is not None and self._idle_s is not None:
            self._release_later(self._idle_s)

    def release(self) -> None:
        """Let go of those that rest."""
        found: list[WorkerProcess | None] = []
        with suppress(queue.Empty):
            while True:
                found.append(self._resting.get_nowait())
        for worker in found:
            if worker is not None:
                self._drop(worker)
            self._resting.put(None)

    def close(self) -> None:
        """No timer goes off any more."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _release_later(self, seconds: float) -> None:
        with self._lock:
            if self._timer is None and not self._closed:
                self._timer = threading.Timer(seconds, self._release_idle)
                self._timer.daemon = True
                self._timer.start()

    def _release_idle(self) -> None:
        """Runs in the timer's thread."""
        assert self._idle_s is not None
        with self._lock:
            self._timer = None
        left = self._asked + self._idle_s - time.monotonic()
        if left > 0:
            self._release_later(left)
        else:
            self.release()
