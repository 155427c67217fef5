"""The first stage: chooses the next file, reads it, hands on its units."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable

from engine.contract.errors import InklingError
from engine.contract.kinds import SLOW_KINDS
from indexer.indexing.file_states import FileStates
from indexer.indexing.progress import Progress
from indexer.indexing.throttle import Throttle
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import PagesRead, Work
from indexer.sources.presence import Presence, look_at
from indexer.sources.systems import in_use

#: Files looked up at once in the ledger.
AHEAD = 64
#: A file that was not there is not asked for again so soon.
GONE_SECONDS = 5.0
#: After this long without work the extractor workers are let go.
IDLE_SECONDS = 60.0
DISK_FULL = InklingError(
    "The disk is full; indexing waits.", hint="Free some space; Inkling goes on by itself."
)


class ReadStage:
    """Reads pending files, newest first, then on in those of which pages are left, then those that
    are read better now than they were."""

    def __init__(
        self,
        reader: FileReader,
        ledger: Ledger,
        states: FileStates,
        extractors: ExtractorPool,
        out: queue.Queue[Work],
        *,
        throttle: Throttle,
        progress: Progress,
        store_version: Callable[[], int],
        look: Callable[[str], None],
        stop: threading.Event,
        running: threading.Event,
    ) -> None:
        """`look` has a path scanned; while `running` is not set nothing is begun."""
        self._reader, self._ledger, self._states = reader, ledger, states
        self._extractors, self._out = extractors, out
        self._throttle, self._progress = throttle, progress
        self._store_version, self._look = store_version, look
        self._stop, self._running = stop, running
        self._work_there = threading.Condition()
        self._gone: dict[int, float] = {}  # files that were not there: left alone until then
        self._ahead: dict[bool, list[FileRecord]] = {True: [], False: []}
        self._last_work = time.monotonic()

    def wake(self) -> None:
        """There may be other files to read."""
        with self._work_there:
            for ahead in self._ahead.values():
                ahead.clear()  # newer files may have come
            self._work_there.notify_all()

    def step(self, quick_first: bool) -> bool:
        """Read one file, or wait a second; whether one was read."""
        if not self._running.wait(1.0):
            return False
        if self._throttle.reason_to_wait():
            self._stop.wait(1.0)
            return False
        record = self._next_file(quick_first)
        if record is None:
            if time.monotonic() - self._last_work > IDLE_SECONDS:
                self._extractors.release()
            return False
        self._last_work = began = time.monotonic()
        self.read(record)
        self._progress.took(record.kind, time.monotonic() - began)
        return True

    def _next_file(self, quick_first: bool) -> FileRecord | None:
        with self._work_there:
            ahead = self._ahead[quick_first]
            if not ahead:
                ahead += self._look_ahead(quick_first)
            while ahead:
                record = ahead.pop()
                if record.id not in self._gone and self._states.claim(record):
                    return record
            if not self._stop.is_set():
                self._work_there.wait(1.0)
            return None

    def _look_ahead(self, quick_first: bool) -> list[FileRecord]:
        """The next files to read, the very next one last."""
        now = time.monotonic()
        self._gone = {i: until for i, until in self._gone.items() if until > now}
        excluded = self._states.in_flight.union(self._gone)
        found: list[FileRecord] = []
        if quick_first:
            found = self._ledger.next_pending(AHEAD, excluded, SLOW_KINDS)
        found = found or self._ledger.next_pending(AHEAD, excluded)
        # What answers already can wait until everything does.
        found = found or self._ledger.next_partly_read(AHEAD, excluded)
        found = found or self._ledger.next_stale(AHEAD, excluded)
        return found[::-1]

    def read(self, record: FileRecord) -> None:
        """Read a claimed file; it goes on to the next stage, or its state says why not."""
        try:
            work = self._reader.read(record)
        except (ExtractError, OSError) as error:
            self._unread(record, error)
        except InklingError:
            self._states.release(record.id)  # the ledger's trouble, not the file's
            raise
        except BaseException as error:
            self._states.failed_unexpectedly(record, "crashed", error)
            raise
        else:
            if work is None:
                self._states.unchanged(record, self._store_version())
            elif isinstance(work, PagesRead):
                self._states.read_on(record, work)
            else:
                self._hand_on(work)

    def _unread(self, record: FileRecord, error: ExtractError | OSError) -> None:
        """Decide whether the file, or what is around it, is the reason."""
        if self._throttle.disk_full():
            self._throttle.failed(DISK_FULL)
            self._states.put_back(record)
        elif look_at(self._ledger, record.path) is not Presence.THERE:
            # Moved, removed, or its drive is gone: the scan finds out which.
            self._gone[record.id] = time.monotonic() + GONE_SECONDS
            self._states.put_back(record)
            self._look(record.path)
        elif isinstance(error, ExtractError):
            self._states.give_up(record, error.reason, error.detail)
        else:
            reason = "in-use" if in_use(error) else "unreadable"
            self._states.give_up(record, reason, error.strerror or str(error))

    def _hand_on(self, work: Work) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                return self._out.put(work, timeout=0.5)
        return None
