"""A real indexer for benchmarks, and the memory of it and its workers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil

from desktop.client import Client
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir

#: A worker's kind by the module it runs.
_WORKERS = {"encoder": "engine.encoders.worker", "extractor": "indexer.reading.worker"}


def in_words(sizes: Mapping[str, int]) -> str:
    """Bytes by kind of process as a line."""
    return ", ".join(f"{kind} {size / 1e6:.0f} MB" for kind, size in sorted(sizes.items()))


@contextmanager
def running_indexer(base: BaseDir) -> Iterator[Client]:
    """An indexer of its own over `base`, stopped at the end."""
    command = [sys.executable, "-m", "indexer", "run", "--base-dir", str(base.root)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = Client.find(base)
        while client is None:
            if process.poll() is not None:
                raise InklingError("The indexer ended at once.", hint=f"See {base.logs}.")
            time.sleep(0.05)
            client = Client.find(base)
        yield client
        with suppress(InklingError):
            client.stop()
        process.wait(60)
    finally:
        if process.poll() is None:
            process.kill()


def wait_until_idle(client: Client, seconds: float = 36_000.0) -> None:
    """Until nothing is scanned, indexed or pending, three looks in a row."""
    deadline = time.monotonic() + seconds
    quiet = 0
    while quiet < 3:
        if time.monotonic() > deadline:
            raise TimeoutError(client.status())
        status = client.status()
        quiet = quiet + 1 if status["state"] == "idle" and not status["totals"]["pending"] else 0
        time.sleep(0.3)


def resident(pid: int) -> dict[str, int]:
    """Resident bytes of an indexer and its workers by kind of process, each kind's processes added.

    "all" is their proportional share: pages that several of them map count once.
    """
    found: dict[str, int] = defaultdict(int)
    with suppress(psutil.Error):
        family = psutil.Process(pid)
        for process in (family, *family.children(recursive=True)):
            with suppress(psutil.Error):
                command = " ".join(process.cmdline())
                kinds = (kind for kind, module in _WORKERS.items() if module in command)
                memory = process.memory_full_info()
                found[next(kinds, "indexer")] += memory.rss
                found["all"] += getattr(memory, "pss", memory.uss)
    return found


class MemoryWatch(threading.Thread):
    """Looks at the memory every `interval_s`; keeps the highest and a time line."""

    def __init__(self, pid: int, interval_s: float = 0.25) -> None:
        super().__init__(daemon=True)
        self._pid, self._interval_s = pid, interval_s
        self._since = time.monotonic()
        self.highest: dict[str, int] = defaultdict(int)
        self.line: list[tuple[float, dict[str, int]]] = []  # seconds, bytes by kind
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(self._interval_s):
            now = resident(self._pid)
            self.line.append((time.monotonic() - self._since, now))
            for kind, size in now.items():
                self.highest[kind] = max(self.highest[kind], size)

    def said(self) -> str:
        """The highest of each kind, in words."""
        return in_words(self.highest)
