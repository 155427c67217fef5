"""Worker processes that read untrusted files, each with a deadline and a memory cap."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import indexer
from indexer.reading import extract, messages
from indexer.reading.extract.base import ExtractError, Extraction

_DEFAULT_DEADLINE_S = 60.0
_RENDER_DEADLINE_S = 20.0
_START_S = 15.0  # a worker's imports, on a busy machine, come on top of the first deadline
_LOOK_S = 0.1  # how often the memory of a busy worker is looked at
_FILES_PER_WORKER = 2000  # then it is replaced, whatever a library may have leaked
_WORN = 0.6  # of the memory cap, still held after a file: replaced before the next
#: What a worker needs of the environment; the rest may hold secrets and stays here.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT")
_ROOM = 3_000_000_000  # address space beyond the memory cap: libraries map far more than they touch


class ExtractorPool:
    """Reads files in child processes; each calling thread waits for its own file."""

    def __init__(
        self,
        scratch: Path,
        workers: int = 2,
        memory_bytes: int = 1_500_000_000,
        deadline_s: float = 3600.0,
    ) -> None:
        """`deadline_s` bounds what each family of files allows itself."""
        scratch.mkdir(parents=True, exist_ok=True)
        self.scratch = scratch.resolve()
        self.memory_bytes = memory_bytes
        self.deadline_s = deadline_s
        self.restarts = 0  # workers that died or were killed for what they did
        self.layers: list[str] = []  # what the kernel holds a worker with, known after the first
        self._readable: tuple[str, ...] = ("/",)
        self._generation = 0  # workers of an earlier one are replaced before their next file
        self._closed = False
        self._lock = threading.Lock()
        self._live: set[_Worker] = set()
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(None)  # started when first needed

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
    ) -> tuple[Extraction, Path]:
        """What the file holds, and the scratch folder with its pictures: the caller removes it.

        ExtractError with its reason where the file gives nothing, its worker died or hung.
        """
        folder = self._folder()
        options = {"scratch": str(folder), "ocr": ocr, "pixels": pixels, "thumbs": thumbs}
        options["max_pixels"] = max_pixels
        row = extract.pick(Path(path), b"")
        try:
            request = {
                "op": "extract",
                "path": self._within_reach(path, folder),
                "options": options,
            }
            reply = self._ask(request, row.deadline_s if row else _DEFAULT_DEADLINE_S)
            return messages.unpack_extraction(reply["ok"]), folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def render(self, path: str, page: int | None, width: int) -> bytes:
        """A page or picture as PNG, `width` pixels wide."""
        folder = self._folder()
        out = folder / "page.png"
        try:
            request = {"op": "render", "path": self._within_reach(path, folder), "page": page or 1}
            self._ask({**request, "width": width, "out": str(out)}, _RENDER_DEADLINE_S)
            return out.read_bytes()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def pids(self) -> list[int]:
        """The processes that live now."""
        with self._lock:
            return [worker.process.pid for worker in self._live]

    def release(self) -> None:
        """Let go of workers that have nothing to do; they come back when needed."""
        resting: list[_Worker | None] = []
        with suppress(queue.Empty):
            while True:
                resting.append(self._idle.get_nowait())
        for worker in resting:
            if worker is not None:
                self._drop(worker)
            self._idle.put(None)

    def close(self) -> None:
        """End all workers; whoever waits for one gets an ExtractError."""
        self._closed = True
        with self._lock:
            live = list(self._live)
        for worker in live:
            self._drop(worker)

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def _within_reach(self, path: str, folder: Path) -> bytes:
        real = os.path.realpath(path)
        if any(os.path.commonpath((real, root)) == root for root in self._readable):
            return os.fsencode(path)
        try:
            return os.fsencode(shutil.copy(real, folder))
        except OSError as error:
            raise ExtractError("unreadable", error.strerror or str(error)) from error

    def _ask(self, request: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        """Have a worker answer; one that was killed from outside is not this file's fault."""
        deadline_s = min(deadline_s, self.deadline_s)
        try:
            reply = self._ask_once(request, deadline_s)
        except _KilledError:
            if self._closed:
                raise
            reply = self._ask_once(request, deadline_s)
        if reply.get("denied") and os.access(request["path"], os.R_OK):
            # Its root was not mounted when the worker's rights were fixed.
            self._generation += 1
            reply = self._ask_once(request, deadline_s)
        if "reason" in reply:
            raise ExtractError(str(reply["reason"]), str(reply.get("detail", "")))
        return reply

    def _ask_once(self, request: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        worker = self._idle.get()
        try:
            if worker is not None and (worker.dead() or worker.generation != self._generation):
                self._drop(worker)
                worker = None
            if worker is None:
                worker = self._start()
                deadline_s += _START_S
            try:
                reply = worker.ask(request, deadline_s, self.memory_bytes)
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
            self._idle.put(worker)
        return reply

    def _start(self) -> _Worker:
        worker = _Worker(self.scratch, self._readable, self.memory_bytes + _ROOM, self._generation)
        with self._lock:
            if not self._closed:
                self._live.add(worker)
                return worker
        worker.kill()
        raise ExtractError("crashed", "The pool is closed.")

    def _drop(self, worker: _Worker) -> None:
        worker.kill()
        with self._lock:
            self._live.discard(worker)


class _KilledError(ExtractError):
    """The worker got a SIGKILL that was not ours: memory ran out, or a person ended it."""


class _Worker:
    """One child process and the thread that reads its answers."""

    def __init__(
        self, scratch: Path, readable: tuple[str, ...], address_space: int, generation: int
    ) -> None:
        self.generation = generation
        self.files = 0
        config = {"scratch": str(scratch), "readable": readable, "address_space": address_space}
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "indexer.reading.worker", json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(indexer.__file__).parents[1],
            env=kept | {"OMP_NUM_THREADS": "1", "TMPDIR": str(scratch), "HOME": str(scratch)},
            start_new_session=True,  # Ctrl+C in a terminal is for the indexer
        )
        self._facts = psutil.Process(self.process.pid)
        with suppress(psutil.Error, OSError, AttributeError):  # not every platform has both
            self._facts.nice(19)
            self._facts.ionice(psutil.IOPRIO_CLASS_IDLE)
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._pump, name="extractor-replies", daemon=True).start()

    def ask(self, request: dict[str, Any], deadline_s: float, memory: int) -> dict[str, Any]:
        """Send a request and wait; ExtractError if the worker dies, hangs or eats too much."""
        self.files += 1
        until = time.monotonic() + deadline_s
        # A broken pipe shows as the end of the replies below.
        with suppress(OSError):
            messages.send(self.process.stdin, request)  # type: ignore[arg-type]
        while True:
            try:
                reply = self._replies.get(timeout=_LOOK_S)
            except queue.Empty:
                if self._resident() > memory:
                    raise ExtractError("too-complex", f"more than {memory >> 20} MiB") from None
                if time.monotonic() > until:
                    raise ExtractError("timeout", f"{deadline_s:.0f} s") from None
                continue
            if reply is None:
                raise self._obituary()
            return reply

    def dead(self) -> bool:
        """Whether it ended between two files."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.wait()
        with suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]

    def _obituary(self) -> ExtractError:
        try:
            status = self.process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:  # it closed its pipe but lives on
            return ExtractError("crashed", "the worker stopped answering")
        if status == -getattr(signal, "SIGXCPU", 0):
            return ExtractError("timeout", "too much processor time")
        if status == -getattr(signal, "SIGKILL", 0):
            return _KilledError("crashed", "killed from outside")
        return ExtractError("crashed", f"exit status {status}")

    def _resident(self) -> int:
        try:
            return int(self._facts.memory_info().rss)
        except psutil.Error:
            return 0

    def _pump(self) -> None:
        """Runs in its own thread; a malformed answer counts as the end."""
        with suppress(ValueError, OSError), self.process.stdout as stream:  # type: ignore[union-attr]
            while reply := messages.receive(stream):  # type: ignore[arg-type]
                self._replies.put(reply)
        self._replies.put(None)
