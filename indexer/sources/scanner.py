"""The scan loop: one thread that keeps the ledger equal to the folders, and tells the pipeline."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.ledger.ledger import Ledger, Root
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import ScanResult, scan_paths, scan_root

log = logging.getLogger(__name__)

#: Everything is looked at again this often, whatever the watcher said (Syncthing's interval).
RESCAN_SECONDS = 3600.0
SCANNING = "Looking through the folders"


@dataclass(frozen=True, slots=True)
class Job:
    """Look at a whole root, or only at some paths below it."""

    root_id: int
    paths: tuple[str, ...] = ()


class Failures(Protocol):
    """What counts failures in a row."""

    def failed(self, task: str, error: BaseException) -> float:
        """Seconds to wait before the next try."""

    def succeeded(self, task: str) -> None:
        """The task did what it is for."""


class Scanner:
    """Runs scans one after another; what they find goes to `on_result`."""

    def __init__(
        self,
        ledger: Ledger,
        rules: Callable[[], IgnoreRules],
        on_result: Callable[[Root, ScanResult], None],
        on_error: Callable[[BaseException], None],
        *,
        failures: Failures,
        kinds: Mapping[str, str] | None = None,
    ) -> None:
        """`kinds` by extension, as far as a name tells."""
        self._ledger, self._rules, self._on_result = ledger, rules, on_result
        self._on_error, self._failures, self._kinds = on_error, failures, kinds or {}
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._stop = threading.Event()
        self._waiting: set[int] = set()  # roots whose full scan is queued
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="scan", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout=30)

    def scan(self, root_id: int, paths: Sequence[str] = ()) -> None:
        """Queue a root, or some paths of it."""
        with self._lock:
            if not paths and root_id in self._waiting:
                return  # while one runs another may wait: what changed behind the walk is seen
            if not paths:
                self._waiting.add(root_id)
        self._jobs.put(Job(root_id, tuple(paths)))

    def scan_all(self) -> None:
        for root in self._ledger.roots():
            self.scan(root.id)

    @property
    def scanning(self) -> frozenset[int]:
        """Ids of roots whose full scan is not finished."""
        with self._lock:
            return frozenset(self._waiting | self._running)

    def _loop(self) -> None:
        due = time.monotonic() + RESCAN_SECONDS
        while not self._stop.is_set():
            try:
                job = self._jobs.get(timeout=max(0.1, min(60.0, due - time.monotonic())))
            except queue.Empty:
                if time.monotonic() >= due:
                    due = time.monotonic() + RESCAN_SECONDS
                    self.scan_all()
                continue
            if job is not None:
                self._run(job)

    def _run(self, job: Job) -> None:
        if not job.paths:
            with self._lock:
                self._waiting.discard(job.root_id)
                self._running.add(job.root_id)
        try:
            root = next((r for r in self._ledger.roots() if r.id == job.root_id), None)
            if root is None:
                return  # removed meanwhile
            if job.paths:
                result = scan_paths(
                    self._ledger, root, job.paths, self._rules(), self._stop, kinds=self._kinds
                )
            else:
                result = scan_root(self._ledger, root, self._rules(), self._stop, kinds=self._kinds)
            self._on_result(root, result)
            self._failures.succeeded(SCANNING)
        except BaseException as error:  # noqa: BLE001 -- a library's panic is no Exception
            self._failed(job, error)
        finally:
            if not job.paths:
                with self._lock:
                    self._running.discard(job.root_id)

    def _failed(self, job: Job, error: BaseException) -> None:
        """The ledger's transactions are whole; what it did not note, the whole scan finds."""
        pause = self._failures.failed(SCANNING, error)
        try:
            self._on_error(error)
        except BaseException as second:  # noqa: BLE001 -- nothing ends the loop but its stop
            self._failures.failed(f"{SCANNING}, after an error", second)
        if not self._stop.wait(pause):
            self.scan(job.root_id)
