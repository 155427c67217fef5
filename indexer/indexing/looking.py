"""Looking at pictures: the space of looks is filled and mended in the background, from the files
alone; passages are neither read nor encoded for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from engine.contract.errors import InklingError
from engine.contract.types import FileFacts, Look
from engine.store import Looks
from indexer.indexing.both_spaces import PICTURES
from indexer.indexing.failures import RepeatedFailures
from indexer.ledger.ledger import Ledger
from indexer.reading.extract.base import ExtractError
from indexer.reading.work import facts_of

log = logging.getLogger(__name__)

#: Files of one commit.
BATCH_FILES = 16
#: A file that could not be looked at is left for so long; after so many tries, until it changes.
AGAIN_SECONDS = 30.0
TRIES = 2
#: After an error that is no file's fault nothing is tried for so long.
BACK_OFF_SECONDS = 20.0
#: Changes go first for so long, then one batch is done.
PATIENCE_SECONDS = 10.0
IDLE_WAIT = 1.0
#: Once nothing was to be done for so long, what wants maintenance gets it.
REST_SECONDS = 5.0
LOOKING = "Looking at pictures"


class PictureReader(Protocol):
    """The confined workers."""

    def look(self, path: str) -> Look:
        """How a picture looks; ExtractError, with reason "encoder" where none can be looked at."""


class Looking:
    """Has every indexed picture looked at. One thread; the other methods are for any."""

    def __init__(
        self,
        looks: Looks,
        ledger: Ledger,
        reader: PictureReader,
        failures: RepeatedFailures,
        *,
        wanted: Callable[[], bool],
        throttled: Callable[[], bool],
        busy: Callable[[], bool],
    ) -> None:
        """`wanted`: whether there are to be looks at all; `throttled`: nothing is to be done now;
        `busy`: changes go first."""
        self._looks, self._ledger, self._reader = looks, ledger, reader
        self._wanted = wanted
        self._failures, self._throttled, self._busy = failures, throttled, busy
        self._lock = threading.Lock()
        #: Indexed pictures and the hashes of their contents, newest first; those that are to be
        #: looked at; and when that was so.
        self._pictures: Mapping[int, str] = {}
        self._missing: list[int] = []
        self._edition: object = None
        self._surveyed: object = None
        self._tries: dict[tuple[int, str], int] = {}  # of pictures that could not be looked at
        self._failed = 0  # of all of these
        self._later: dict[int, float] = {}  # of these, those that are left alone until then
        self._held_until = self._patient_since = self._rests_since = 0.0
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="looking", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the picture that is being looked at; what was committed stays."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    @property
    def waiting(self) -> bool:
        """Whether pictures are to be looked at that can be now."""
        return time.monotonic() >= self._held_until and bool(self._todo())

    def counts(self) -> tuple[int, int]:
        """How many indexed pictures are to be looked at, and how many of them are."""
        pictures, missing = self._survey()
        return pictures, pictures - len(missing)

    def reconcile(self) -> None:
        """After a crash, before anything else is written: the ledger decides, looks follow."""
        try:
            self._looks.maintain(force=True)  # what a crash left half-written goes
            self._compare()
        except InklingError as error:
            log.warning("Looks are compared at the next start: %s", error)

    def _compare(self) -> None:
        places = self._looks.places()  # before the ledger: what comes between is in both
        kept = ("pending", "done")
        records = (r for r in self._ledger.files() if r.state in kept)
        pictures = {r.id: r for r in records if r.kind in PICTURES}
        self._looks.delete(places.keys() - pictures.keys())
        self._looks.move(
            facts_of(record)
            for i, record in pictures.items()
            if i in places and places[i] != (record.path, record.mtime_ns / 1e9)
        )

    # What is to be done

    def _survey(self) -> tuple[int, list[int]]:
        """How many indexed pictures there are, and of which it is not known how they look, though
        it can be; newest first. Counted again when anything has changed."""
        with self._lock:
            if not self._wanted():
                return 0, []
            edition = self._ledger.edition()
            if edition != self._edition:
                self._pictures, self._edition = self._ledger.contents_of(PICTURES), edition
            now = (edition, self._looks.changes, self._failed)
            if now != self._surveyed:
                known, tries = self._looks.contents(), self._tries
                wanted = [i for i, of in self._pictures.items() if known.get(i) != of]
                self._missing = [i for i in wanted if tries.get((i, self._pictures[i]), 0) < TRIES]
                self._surveyed = now
            return len(self._pictures), self._missing

    def _todo(self) -> list[int]:
        """What can be done now, newest first."""
        now = time.monotonic()
        return [i for i in self._survey()[1] if self._later.get(i, 0.0) <= now]

    # The thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self._step()
                if worked:
                    self._failures.succeeded(LOOKING)
            except BaseException as error:  # noqa: BLE001 -- said, and tried again
                worked = False
                if not self._stop.is_set():
                    pause = self._failures.failed(LOOKING, error)
                    self._held_until = time.monotonic() + max(BACK_OFF_SECONDS, pause)
            if not worked:
                self._wake.wait(IDLE_WAIT)
                self._wake.clear()

    def _step(self) -> bool:
        """Do a little; False if there is nothing to do now."""
        if self._looks.damaged:
            log.warning("How pictures look could not be read; they are looked at again")
            self._looks.rebuild()
        if not self._wanted() and self._looks.contents():
            log.info("How pictures look is not wanted any more")
            self._looks.rebuild()
        if time.monotonic() < self._held_until or not self._may_work():
            return False
        batch = self._todo()[:BATCH_FILES]
        if not batch:
            self._rest()
            return False
        self._rests_since = 0.0
        self._look_at(batch)
        return True

    def _may_work(self) -> bool:
        """Whether nothing stands against a batch; a file that never rests must not for ever."""
        if self._throttled():
            return False
        now = time.monotonic()
        if self._busy():
            self._patient_since = self._patient_since or now
            if now - self._patient_since < PATIENCE_SECONDS:
                return False
        self._patient_since = 0.0
        return True

    def _look_at(self, batch: list[int]) -> None:
        seen: list[tuple[FileFacts, Look]] = []
        for record in self._ledger.files_by_ids(batch).values():
            if self._stop.is_set():
                return
            of = record.content_hash or ""
            try:
                made = self._reader.look(record.path)
            except (ExtractError, OSError) as error:
                if isinstance(error, ExtractError) and error.reason == "encoder":
                    raise InklingError("Pictures can't be looked at.", hint=error.detail) from error
                log.info("File %d could not be looked at: %s", record.id, error)
                self._tries[record.id, of] = self._tries.get((record.id, of), 0) + 1
                self._later[record.id] = time.monotonic() + AGAIN_SECONDS
                self._failed += 1
                continue
            seen.append((facts_of(record), replace(made, content=of)))
        self._looks.replace(seen)
        # Removed or moved while they were looked at.
        now = self._ledger.files_by_ids([facts.file_id for facts, _ in seen])
        self._looks.delete(facts.file_id for facts, _ in seen if facts.file_id not in now)
        self._looks.move(
            facts_of(now[facts.file_id])
            for facts, _ in seen
            if facts.file_id in now and now[facts.file_id].path != facts.path
        )

    def _rest(self) -> None:
        if not self._rests_since:
            self._rests_since = time.monotonic()
        elif time.monotonic() - self._rests_since > REST_SECONDS:
            self._looks.maintain()
            self._rests_since = time.monotonic()
