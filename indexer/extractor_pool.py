"""Worker processes that read untrusted files, each with a deadline and a memory cap."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import indexer
from indexer import extract, frames
from indexer.extract.base import ExtractError, Extraction

_DEFAULT_DEADLINE_S = 60.0
_RENDER_DEADLINE_S = 20.0
_START_S = 15.0  # a worker's imports, on a busy machine, come on top of the first deadline
_LOOK_S = 0.1  # how often the memory of a busy worker is looked at
_FILES_PER_WORKER = 2000  # then it is replaced, whatever a library may have leaked
_ROOM = 3_000_000_000  # address space beyond the memory cap: libraries map far more than they touch


class ExtractorPool:
    """Reads files in child processes; each caller thread waits for its own file."""

    def __init__(self, scratch: Path, workers: int = 2, memory_bytes: int = 1_500_000_000) -> None:
        self.scratch = scratch
        self.memory_bytes = memory_bytes
        self.restarts = 0  # workers that died or were killed
        self._closed = False
        self._lock = threading.Lock()
        self._live: set[_Worker] = set()
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(None)  # started when first needed
        scratch.mkdir(parents=True, exist_ok=True)

    def extract(
        self,
        path: str,
        *,
        ocr: bool = True,
        pixels: bool = False,
        max_pixels: int = 1_500_000,
        thumbs: bool = True,
    ) -> tuple[Extraction, Path]:
        """What the file holds, and the scratch folder with its pictures: the caller removes it."""
        row = extract.pick(Path(path), b"")
        folder = self._folder()
        options = {
            "scratch": str(folder),
            "ocr": ocr,
            "pixels": pixels,
            "max_pixels": max_pixels,
            "thumbs": thumbs,
        }
        request = {"op": "extract", "path": os.fsencode(path), "options": options}
        try:
            reply = self._ask(request, row.deadline_s if row else _DEFAULT_DEADLINE_S)
            return frames.unpack_extraction(reply["ok"]), folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def render(self, path: str, page: int | None, width: int) -> bytes:
        """A page or picture as PNG, `width` pixels wide."""
        folder = self._folder()
        out = folder / "page.png"
        try:
            request = {"op": "render", "path": os.fsencode(path), "page": page, "width": width}
            self._ask({**request, "out": str(out)}, _RENDER_DEADLINE_S)
            return out.read_bytes()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def pids(self) -> list[int]:
        """The processes that live now."""
        with self._lock:
            return [worker.process.pid for worker in self._live]

    def close(self) -> None:
        """End all workers; whoever waits for one gets an ExtractError."""
        self._closed = True
        with self._lock:
            live = list(self._live)
        for worker in live:
            self._drop(worker)

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def _ask(self, request: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        worker = self._idle.get()
        try:
            if worker is None:
                worker = self._start()
                deadline_s += _START_S
            try:
                reply = worker.ask(request, deadline_s, self.memory_bytes)
            except ExtractError:
                self.restarts += not self._closed
                self._drop(worker)
                worker = None
                raise
            if reply.get("retire") or worker.worn(self.memory_bytes, reply["rss"]):
                self._drop(worker)
                worker = None
        finally:
            self._idle.put(worker)
        if "reason" in reply:
            raise ExtractError(reply["reason"], reply["detail"])
        return reply

    def _start(self) -> _Worker:
        if self._closed:
            raise ExtractError("crashed", "The pool is closed.")
        worker = _Worker(self.scratch, self.memory_bytes + _ROOM)
        with self._lock:
            self._live.add(worker)
        return worker

    def _drop(self, worker: _Worker) -> None:
        worker.kill()
        with self._lock:
            self._live.discard(worker)


class _Worker:
    """One child process and the thread that reads its answers."""

    def __init__(self, scratch: Path, address_space: int) -> None:
        config = {"scratch": str(scratch), "address_space": address_space}
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(scratch)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "indexer.extractor_worker", json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(indexer.__file__).parents[1],
            env=environment,
        )
        self._facts = psutil.Process(self.process.pid)
        with suppress(psutil.Error, OSError):
            self._facts.nice(19)
        self._files = 0
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._pump, name="extractor-replies", daemon=True).start()

    def ask(self, request: dict[str, Any], deadline_s: float, memory: int) -> dict[str, Any]:
        """Send a request and wait; ExtractError if the worker dies, hangs or eats too much."""
        self._files += 1
        until = time.monotonic() + deadline_s
        try:
            frames.send(self.process.stdin, request)  # type: ignore[arg-type]
        except OSError:
            raise ExtractError("crashed", "The worker had ended.") from None
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
                raise ExtractError("crashed", f"exit status {self.process.wait()}")
            return reply

    def worn(self, memory: int, rss: int) -> bool:
        """Whether it is time for a fresh process."""
        return self._files >= _FILES_PER_WORKER or rss > 0.6 * memory

    def kill(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.wait()
        with suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]

    def _resident(self) -> int:
        try:
            return int(self._facts.memory_info().rss)
        except psutil.Error:
            return 0

    def _pump(self) -> None:
        with self.process.stdout as stream:  # type: ignore[union-attr]
            while reply := frames.receive(stream):  # type: ignore[arg-type]
                self._replies.put(reply)
        self._replies.put(None)
