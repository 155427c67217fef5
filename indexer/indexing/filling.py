"""Filling a space of pictures: it is filled and mended step by step, behind everything else, from
the files alone; passages are neither read nor encoded for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic

from engine.contract.errors import InklingError
from engine.contract.types import FileFacts
from engine.store import PictureSpace
from engine.store.picture_space import S
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.reading.extract.base import ExtractError
from indexer.reading.work import facts_of

log = logging.getLogger(__name__)

#: Files of one commit, and how long one may be in the making.
BATCH_FILES, BATCH_SECONDS = 16, 20.0
#: A file that could not be looked at is left for so long; after so many tries, until it changes.
AGAIN_SECONDS = 30.0
TRIES = 2
#: Changes go first for so long, then one batch is done.
PATIENCE_SECONDS = 10.0
#: Once nothing was to be done for so long, what wants maintenance gets it.
REST_SECONDS = 5.0


class Filling(Generic[S]):
    """Has every indexed picture in a space. `step` belongs to one thread; the other methods are
    for any."""

    def __init__(
        self,
        space: PictureSpace[S],
        kinds: Sequence[frozenset[str]],
        ledger: Ledger,
        see: Callable[[FileRecord], S],
        *,
        wanted: Callable[[], bool],
        throttled: Callable[[], bool],
        busy: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        """`kinds`: files of the first come first. `see` gives what goes into the space;
        ExtractError or OSError where that is the file's fault. `wanted`: whether there is to be
        anything at all; `throttled`: nothing is to be done now; `busy`: changes go first."""
        self.space, self._kinds, self._ledger, self._see = space, kinds, ledger, see
        self._wanted, self._throttled, self._busy, self._stop = wanted, throttled, busy, stop
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
        self._patient_since = self._rests_since = 0.0
        self.seconds = 0.0  # that seeing took, of the pictures that it took
        self.seen = 0

    @property
    def waiting(self) -> bool:
        """Whether pictures are to be looked at that can be now."""
        return bool(self._todo())

    def counts(self) -> tuple[int, int]:
        """How many indexed pictures are to be looked at, and how many of them are."""
        pictures, missing = self._survey()
        return pictures, pictures - len(missing)

    def reconcile(self) -> None:
        """After a crash, before anything else is written: the ledger decides, looks follow."""
        try:
            self.space.maintain(force=True)  # what a crash left half-written goes
            self._compare()
        except InklingError as error:
            log.warning("Pictures are compared at the next start: %s", error)

    def _compare(self) -> None:
        places = self.space.places()  # before the ledger: what comes between is in both
        kept = ("pending", "done")
        records = (r for r in self._ledger.files() if r.state in kept)
        pictures = {r.id: r for r in records if any(r.kind in some for some in self._kinds)}
        self.space.delete(places.keys() - pictures.keys())
        self.space.move(
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
                found = [self._ledger.contents_of(some) for some in self._kinds]
                self._pictures = {i: of for some in found for i, of in some.items()}
                self._edition = edition
            now = (edition, self.space.changes, self._failed)
            if now != self._surveyed:
                known, tries = self.space.contents(), self._tries
                wanted = [i for i, of in self._pictures.items() if known.get(i) != of]
                self._missing = [i for i in wanted if tries.get((i, self._pictures[i]), 0) < TRIES]
                self._surveyed = now
            return len(self._pictures), self._missing

    def _todo(self) -> list[int]:
        """What can be done now, newest first."""
        now = time.monotonic()
        return [i for i in self._survey()[1] if self._later.get(i, 0.0) <= now]

    # Doing it

    def step(self) -> bool:
        """Do a little; False if there is nothing to do now. InklingError for what is no file's
        fault."""
        if self.space.damaged:
            log.warning("What pictures look like could not be read; they are looked at again")
            self.space.rebuild()
        if not self._wanted() and self.space.contents():
            log.info("What pictures look like is not wanted any more")
            self.space.rebuild()
        if not self._may_work():
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

    def _look_at(self, batch: Sequence[int]) -> None:
        seen: list[tuple[FileFacts, S]] = []
        known = self._ledger.files_by_ids(list(batch))
        until = time.monotonic() + BATCH_SECONDS
        for record in (known[i] for i in batch if i in known):
            late = time.monotonic() > until or self._throttled()
            if self._stop.is_set() or (seen and late):
                break
            started = time.monotonic()
            try:
                made = self._see(record)
            except (ExtractError, OSError) as error:
                log.info("File %d could not be looked at: %s", record.id, error)
                of = record.content_hash or ""
                self._tries[record.id, of] = self._tries.get((record.id, of), 0) + 1
                self._later[record.id] = time.monotonic() + AGAIN_SECONDS
                self._failed += 1
                continue
            self.seconds += time.monotonic() - started
            self.seen += 1
            seen.append((facts_of(record), made))
        self.space.replace(seen)
        # Removed or moved while they were looked at.
        now = self._ledger.files_by_ids([facts.file_id for facts, _ in seen])
        self.space.delete(facts.file_id for facts, _ in seen if facts.file_id not in now)
        self.space.move(
            facts_of(now[facts.file_id])
            for facts, _ in seen
            if facts.file_id in now and now[facts.file_id].path != facts.path
        )

    def _rest(self) -> None:
        if not self._rests_since:
            self._rests_since = time.monotonic()
        elif time.monotonic() - self._rests_since > REST_SECONDS:
            self.space.maintain()
            self._rests_since = time.monotonic()
