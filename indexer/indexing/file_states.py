"""The one place where a file's state changes: claimed, put back, given up, unchanged, done."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from engine.contract.errors import REASONS
from indexer.indexing.write_queue import WriteQueue
from indexer.ledger.ledger import Done, FileRecord, Ledger
from indexer.reading.work import PagesRead, Work, facts_of

#: Reasons that a worker's death gives: a person or the system may have ended it, too.
DEATHS = ("crashed", "encoder")


class FileStates:
    """Which files are in work, and what the ledger hears of them; thread-safe."""

    def __init__(self, ledger: Ledger, changes: WriteQueue, stop: threading.Event) -> None:
        self._ledger, self._changes, self._stop = ledger, changes, stop
        self._lock = threading.Lock()
        self._in_flight: set[int] = set()

    @property
    def in_flight(self) -> frozenset[int]:
        """Files between pending and done."""
        with self._lock:
            return frozenset(self._in_flight)

    @property
    def count(self) -> int:
        return len(self._in_flight)

    def claim(self, record: FileRecord) -> bool:
        """Take a file in work; False if it is already."""
        with self._lock:
            if record.id in self._in_flight:
                return False
            self._in_flight.add(record.id)
            return True

    def release(self, *file_ids: int) -> None:
        """They are not in work any more; their states stay as they are."""
        with self._lock:
            self._in_flight.difference_update(file_ids)

    def put_back(self, record: FileRecord) -> None:
        """The file stays pending, as if it had not been begun."""
        try:
            self._ledger.put_back([record.id])
        finally:
            self.release(record.id)

    def put_all_back(self) -> None:
        """The end: what is in work was not to blame for it."""
        if left := self.in_flight:
            self._ledger.put_back(sorted(left))

    def give_up(self, record: FileRecord, reason: str, detail: str) -> None:
        """The file has no content; what it had before goes."""
        try:
            if reason in DEATHS and (self._stop.is_set() or record.attempts == 0):
                # Whoever kills workers at random must not condemn a good file: once more, later.
                return
            state = REASONS[reason].state
            if record.state == "done" and (state == "failed" or reason == "placeholder"):
                # It was to be read better and can't be: what is there was read from the same file.
                self._ledger.keep_as_read([record.id])
                return
            if record.unread and state == "failed":
                said = f"{record.detail} The others can't be read: {REASONS[reason].sentence}"
                self._ledger.keep_part(record.id, f"{said} ({detail})" if detail else said)
                return
            if record.units:
                self._changes.apply(removed=[record.id])
            self._ledger.set_state(record.id, state, reason, detail)
        finally:
            self.release(record.id)

    def read_on(self, record: FileRecord, pages: PagesRead) -> None:
        """More of its pages were read; the others are its next turn's."""
        try:
            self._ledger.read_on(record.id, pages.unread, pages.detail)
        finally:
            self.release(record.id)

    def failed_unexpectedly(self, record: FileRecord, reason: str, error: BaseException) -> None:
        """A bug met this file: it is tried once more, then it is set aside."""
        try:
            if record.attempts == 0:
                self._ledger.begin([record.id])
        finally:
            self.give_up(record, reason, f"{type(error).__name__}: {str(error)[:200]}")

    def unchanged(self, record: FileRecord, store_version: int) -> None:
        """Touched, not edited: the rows stay, only the time is new."""
        try:
            self._changes.apply(moved=[facts_of(record)])
            done = Done(
                record.id,
                record.units,
                record.content_hash or "",
                record.reading_version,
                record.kind,
                record.picture,
                record.language,
                record.detail,
                record.extractor,
                record.attributes,
                record.text_hash,
                partly=record.partly,
            )
            self._ledger.finish([done], store_version)
        finally:
            self.release(record.id)

    def done(self, works: Sequence[Work], store_version: int) -> list[int]:
        """The store has committed them; the ids of those that were removed meanwhile."""
        return self._ledger.finish([work.done for work in works], store_version)
