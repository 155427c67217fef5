"""One extractor worker as a child process: starting it, asking it within its limits, its end."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from engine.contract import launch
from indexer.reading import messages
from indexer.reading.deadline import Deadline
from indexer.reading.extract.base import ExtractError
from indexer.reading.extract.libreoffice import home_of

_LOOK_S = 0.1  # how often the memory and the time of a busy worker are looked at
#: What a worker needs of the environment; the rest may hold secrets and stays here.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "SYSTEMROOT")
#: glibc raises these thresholds by what is freed, and from then on keeps it: pixels by the 100 MB.
_MALLOC = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(2 << 20),
}


class KilledError(ExtractError):
    """The worker got a SIGKILL that was not ours: memory ran out, or a person ended it."""


class WorkerProcess:
    """One child process and the thread that reads its answers."""

    def __init__(
        self,
        scratch: Path,
        readable: tuple[str, ...],
        address_space: int,
        generation: int,
        *,
        urgent: bool,
    ) -> None:
        """`urgent`: somebody waits for what it does, so that it has the processor like others."""
        self.generation, self._scratch = generation, scratch
        self.files = 0
        config = {
            "scratch": str(scratch),
            "readable": readable,
            "address_space": address_space,
            "home": os.path.expanduser("~"),
            "started_in": os.getcwd(),
        }
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        own = _MALLOC | {"OMP_NUM_THREADS": "1", "TMPDIR": str(scratch), "HOME": str(scratch)}
        self.process = subprocess.Popen(
            launch.command("indexer.reading.worker", json.dumps(config)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env=launch.environment(kept, **own),
            start_new_session=True,  # Ctrl+C in a terminal is for the indexer
        )
        self._facts = psutil.Process(self.process.pid)
        if not urgent:
            with suppress(psutil.Error, OSError, AttributeError):  # not every platform has both
                self._facts.nice(19)
                self._facts.ionice(psutil.IOPRIO_CLASS_IDLE)
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._pump, name="extractor-replies", daemon=True).start()

    def ask(
        self, request: dict[str, Any], processor_s: float, idle_s: float, memory: int
    ) -> dict[str, Any]:
        """Send a request and wait; ExtractError if the worker dies, hangs or eats too much."""
        self.files += 1
        deadline = Deadline(self._facts, processor_s, idle_s)
        # A broken pipe shows as the end of the replies below.
        with suppress(OSError):
            messages.send(self.process.stdin, request)  # type: ignore[arg-type]
        while True:
            try:
                reply = self._replies.get(timeout=_LOOK_S)
            except queue.Empty:
                if self._resident() > memory:
                    raise ExtractError("too-complex", f"more than {memory >> 20} MiB") from None
                deadline.check()
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
        shutil.rmtree(home_of(self.process.pid, self._scratch), ignore_errors=True)

    def _obituary(self) -> ExtractError:
        try:
            status = self.process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:  # it closed its pipe but lives on
            return ExtractError("crashed", "the worker stopped answering")
        if status == -getattr(signal, "SIGXCPU", 0):
            return ExtractError("timeout", "too much processor time")
        if status == -getattr(signal, "SIGKILL", 0):
            return KilledError("crashed", "killed from outside")
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
