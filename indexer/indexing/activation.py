"""Another model: its space is built beside the one that answers, then takes its place.

`settings.model` is the model that is wanted; the ledger knows the one in use. Where they differ a
thread goes over the indexed files and fills the wanted model's space, file by file and noted in
the ledger, so that a kill costs the batch in hand. Changes come first. When nothing is left the
new space is activated; the old one stays, and going back to it takes no encoding.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from engine import Engine
from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.files import ensure_usable
from engine.models.registry import MODELS, ModelSpec, model_spec
from engine.models.sizes import as_found
from engine.store import Store, drop_space, list_spaces, table_name
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.model_spaces import drop_outdated, size_bytes, spaces_of
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.ledger.spaces import Built, Spaces
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader
from indexer.reading.work import Work

log = logging.getLogger(__name__)

#: Files of one commit, and units of one call of the encoder.
BATCH_FILES, BATCH_UNITS = 8, 192
#: How long one batch lets changes go first: a file that never rests must not stop it for ever.
PATIENCE_SECONDS = 10.0
#: A file that could not be read is left for so long.
AGAIN_SECONDS = 30.0
#: After an error nothing is tried for so long.
BACK_OFF_SECONDS = 20.0
#: Searches that were begun before the change may still ask the old engine.
LET_GO_SECONDS = 20.0
IDLE_WAIT = 1.0
BUILDING = "Building another model's index"
#: Rows of removed files leave spaces that are not in use this often at most.
TIDY_SECONDS = 10.0
SETTLE_SECONDS = 1.5


class ActiveIndex(Protocol):
    """What building another model's space needs of the index in use."""

    base: BaseDir
    settings: Settings
    ledger: Ledger
    engine: Engine

    def make_engine(self, spec: ModelSpec) -> Engine:
        """An engine over a model's space, which is made if there is none."""

    def make_reader(self, spec: ModelSpec) -> FileReader:
        """What reads files for a model."""

    def activate(self, engine: Engine, note: Callable[[], None]) -> Engine:
        """Index and answer with this engine from now on; the one before, still open."""

    def throttled(self) -> bool:
        """Whether nothing is to be indexed now."""

    @property
    def busy(self) -> int:
        """Files and changes in work."""


class ModelActivation:
    """Builds the wanted model's space and activates it; takes away what other spaces hold of
    files that are gone. One thread; the other methods are for any."""

    def __init__(self, index: ActiveIndex, failures: RepeatedFailures) -> None:
        self._index, self._failures = index, failures
        self._store = index.base.store
        self.spaces = Spaces(index.ledger)
        self._engine: Engine | None = None  # of the space that is being built
        self._reader: FileReader | None = None
        self._later: dict[int, float] = {}  # files that could not be read: left alone until then
        self._refused: set[int] = set()  # files that could not be read once before
        self._retired: list[tuple[float, Engine]] = []
        self._stop, self._wake = threading.Event(), threading.Event()
        self._lock = threading.RLock()  # held for one step, and to change what is wanted
        self._held_until = self._tidied = 0.0
        self.error: InklingError | None = None  # why the wanted model can't be built
        self.encoded = 0  # units, since the start
        self._thread = threading.Thread(target=self._run, name="model-activation", daemon=True)

    def start(self) -> None:
        drop_outdated(self._store, self.spaces)
        self._thread.start()

    def stop(self) -> None:
        """End within one step; what was committed is gone on from."""
        self._stop.set()
        self._wake.set()
        if (engine := self._engine) is not None:
            engine.stop_encoding()  # whoever waits for it is told
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._let_go_of_engine()
        for _, engine in self._retired:
            engine.close()

    # What is wanted

    def follow(self) -> None:
        """`settings.model` has changed: that model is wanted now."""
        self.error, self._held_until = None, 0.0
        self._wake.set()

    @property
    def wanted(self) -> ModelSpec | None:
        """The model that is to be in use and is not yet."""
        wanted = self._index.settings.model
        if wanted == self._index.engine.spec.id or wanted not in MODELS:
            return None
        return as_found(MODELS[wanted], self._index.base)

    def progress(self) -> dict[str, Any] | None:
        """How far the wanted model's space is; None if none is being built."""
        wanted = self.wanted
        if wanted is None:
            return None
        done, total = self.spaces.progress(wanted.space)
        error = self.error
        return {
            "id": wanted.id,
            "title": wanted.title,
            "done": done,
            "total": total,
            "notes": list(self._engine.encoder_notes) if self._engine is not None else [],
            "error": None if error is None else {"message": error.message, "hint": error.hint},
        }

    def size_bytes(self, spec: ModelSpec) -> int:
        """Bytes on disk of a model's spaces."""
        return size_bytes(spec, self._store, self.spaces)

    def drop(self, spec: ModelSpec) -> None:
        """Remove the space of a model that is neither in use nor wanted."""
        with self._lock:
            if spec.id in (self._index.engine.spec.id, self._index.settings.model):
                raise InklingError(
                    "{title} is in use.",
                    hint="Choose another with `inkling model use ID` first.",
                    told={"title": spec.title},
                )
            self._let_go_of_engine()
            for space in spaces_of(spec, self._store, self.spaces):
                drop_space(self._store, space)
                self.spaces.forget(space)

    # The thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._lock:
                    moved = self._step()
                if moved:
                    self._failures.succeeded(BUILDING)
            except BaseException as error:  # noqa: BLE001 -- said, and tried again
                moved = False
                try:
                    self._failed(error)
                except BaseException as second:  # noqa: BLE001 -- only its stop ends the loop
                    self._failures.failed(f"{BUILDING}, after an error", second)
            if not moved:
                self._wake.wait(IDLE_WAIT)
                self._wake.clear()

    def _failed(self, error: BaseException) -> None:
        """Say it and wait; a damaged space is made anew."""
        if self._stop.is_set():
            return
        known = error if isinstance(error, InklingError) else None
        pause = max(BACK_OFF_SECONDS, self._failures.failed(BUILDING, error))
        self._held_until = time.monotonic() + pause
        if isinstance(error, StoreDamagedError) and (wanted := self.wanted) is not None:
            self._let_go_of_engine()
            drop_space(self._store, wanted.space)
            self.spaces.forget(wanted.space)
        self.error = known or InklingError(
            "The new model's index could not be built.", hint="See logs/indexer.log."
        )

    def _step(self) -> bool:
        """Do a little; False if there is nothing to do now."""
        self._close_retired()
        wanted = self.wanted
        if self._engine is not None and (wanted is None or wanted.space != self._engine.spec.space):
            self._let_go_of_engine()
        self._take_leftovers_away()
        if wanted is None or time.monotonic() < self._held_until:
            return False
        if self._engine is None:
            self._engine = self._open(wanted)
        if not self.spaces.is_whole(wanted.space):
            if batch := self._next_files(wanted):
                if not self._hold():
                    return False
                self._build(batch)
                self.error = None
                return True
            if self._later:
                return False  # what could not be read is asked again, once
        self._activate(self._engine)
        return True

    def _open(self, wanted: ModelSpec) -> Engine:
        """The engine of the space to be built, in step with what the ledger says of it."""
        ensure_usable(model_spec(wanted.id), self._index.base)
        engine = self._index.make_engine(wanted)
        self.spaces.lost_after(wanted.space, engine.found_version)
        held, there = self.spaces.units_by_file(wanted.space), engine.file_ids()
        engine.delete(sorted(there - held.keys()))
        whole = there - engine.broken_files
        self.spaces.unnote(
            wanted.space, [i for i, units in held.items() if units and i not in whole]
        )
        self._reader = self._index.make_reader(wanted)
        return engine

    def _next_files(self, wanted: ModelSpec) -> list[FileRecord]:
        now = time.monotonic()
        self._later = {i: until for i, until in self._later.items() if until > now}
        return self.spaces.todo(wanted.space, BATCH_FILES, self._later)

    def _hold(self) -> bool:
        """Wait while changes are worked on, at most for PATIENCE_SECONDS; False: not now."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._stop.is_set():
            if self._index.throttled():
                return False
            busy = self._index.busy or self._index.ledger.next_pending(1)
            if not busy or time.monotonic() > until:
                return True
            self._stop.wait(0.2)
        return False

    def _build(self, batch: list[FileRecord]) -> None:
        """Read, encode, commit, note."""
        assert self._engine is not None
        done: list[Work] = []
        unable: list[FileRecord] = []
        for record in batch:
            if self._stop.is_set() or self.wanted != self._engine.spec:
                break  # what is done is kept
            work = self._encoded(record, unable)
            if work is not None:
                done.append(work)
        space = self._engine.spec.space
        version = self._engine.replace({w.record.id: w.stored for w in done}) if done else 0
        notes = [
            Built(w.record.id, w.content_hash, w.reading_version, len(w.stored), version, w.detail)
            for w in done
        ]
        notes += [Built(r.id, r.content_hash or "", r.reading_version, 0, 0) for r in unable]
        if gone := self.spaces.note(space, notes):
            self._engine.delete(gone)
        self._engine.maintain()

    def _encoded(self, record: FileRecord, unable: list[FileRecord]) -> Work | None:
        """A file with its rows; None if it is not to be had now, or never (then in `unable`)."""
        assert self._engine is not None
        assert self._reader is not None
        work = None
        try:
            work = self._reader.read_again(record)
            if work.content_hash != record.content_hash:
                raise OSError("it has changed, which the next scan sees")
            pairs = [(work.facts, unit) for unit in work.units]
            for start in range(0, len(pairs), BATCH_UNITS):
                work.stored += self._engine.encode(pairs[start : start + BATCH_UNITS])
            self.encoded += len(pairs)
            return work
        except (OSError, ExtractError) as error:
            log.info("File %d could not be read for another model: %s", record.id, error)
            if record.id in self._refused:
                unable.append(record)
            self._refused.add(record.id)
            self._later[record.id] = time.monotonic() + AGAIN_SECONDS
        except InklingError:
            if self._stop.is_set() or self._engine.encoder_state == "failed":
                raise  # no model, no memory for it: the file is not to blame
            unable.append(record)
        finally:
            if work is not None:
                work.drop_pictures()
        return None

    # Going over

    def _activate(self, engine: Engine) -> None:
        log.info("Going over to %s", engine.spec.id)
        before, new = self._index.engine.spec, engine.spec
        sees = "image" in new.modalities
        self._engine = self._reader = None
        try:
            old = self._index.activate(
                engine, lambda: self.spaces.switch(before.space, new.space, new.id, sees=sees)
            )
        finally:
            if self._index.engine is not engine:
                engine.close()
        # What was removed in the moment between.
        old.delete(sorted(old.file_ids() - self.spaces.units_by_file(before.space).keys()))
        self._retired.append((time.monotonic() + LET_GO_SECONDS, old))

    def _close_retired(self) -> None:
        now = time.monotonic()
        for entry in [entry for entry in self._retired if entry[0] < now]:
            self._retired.remove(entry)
            entry[1].close()

    def _let_go_of_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()
        self._engine = self._reader = None

    def _take_leftovers_away(self) -> None:
        """Rows of removed files leave every space."""
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        for space, file_ids in self.spaces.leftovers().items():
            if space == self._index.engine.spec.space:
                pass  # it has come into use since: start-up and the pipeline see to it
            elif self._engine is not None and space == self._engine.spec.space:
                self._engine.delete(file_ids)
            elif table_name(space) in list_spaces(self._store):
                self._delete_from(space, file_ids)
            self.spaces.taken_away(space, file_ids)

    def _delete_from(self, space: str, file_ids: list[int]) -> None:
        spec = next((s for s in self._specs() if s.space == space), None)
        if spec is None:  # of weights that are gone: nobody can use it again
            drop_space(self._store, space)
            self.spaces.forget(space)
            return
        for last in (False, True):
            store = Store.open(self._store, space, spec.dim, arrays=False)
            try:
                if not last:
                    store.delete_files(file_ids)
                store.maintain(force=True)
            finally:
                store.close()
            # The commit before the last one still has the rows, and is kept for a moment.
            self._stop.wait(SETTLE_SECONDS)

    def _specs(self) -> list[ModelSpec]:
        return [as_found(spec, self._index.base) for spec in MODELS.values()]
