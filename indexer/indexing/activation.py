"""Another model: its space is built beside the one that answers, then takes its place.

`settings.model` is the model that is wanted; the ledger knows the one in use. Where they differ a
thread goes over the indexed files and fills the wanted model's space, file by file and noted in
the ledger, so that a kill costs the batch in hand. Changes come first. When nothing is left the
indexer goes over to the new space; the old one stays, and going back to it takes no encoding.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.contract.errors import InklingError, StoreDamagedError
from engine.engine import Engine
from engine.models.files import ensure_usable
from engine.models.registry import DEFAULT_MODEL, MODELS, ModelSpec, model_spec
from engine.models.sizes import as_found
from engine.store import Store
from engine.store.table import drop_space, list_spaces, table_name
from indexer.ledger.ledger import FileRecord
from indexer.ledger.spaces import Built, Spaces
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader, Work

if TYPE_CHECKING:
    from indexer.server.service import Service

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
#: Rows of removed files leave spaces that are not in use this often at most.
TIDY_SECONDS = 10.0
SETTLE_SECONDS = 1.5


class ModelSwitch:
    """Builds the wanted model's space and goes over to it; takes away what other spaces hold of
    files that are gone. One thread; the other methods are for any."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.spaces = Spaces(service.ledger)
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
        self._thread = threading.Thread(target=self._run, name="model-switch", daemon=True)

    @staticmethod
    def first_model(service: Service) -> ModelSpec:
        """The model in use at the start; in a new ledger the wanted one, if it can be."""
        spaces = Spaces(service.ledger)
        if spaces.model not in MODELS:
            wanted = model_spec(service.settings.model)
            try:
                ensure_usable(wanted, service.base)
            except InklingError as error:
                log.error("%s", error)
                wanted = model_spec(DEFAULT_MODEL)
            spaces.start_with(wanted.id)
        return as_found(model_spec(spaces.model), service.base)

    def start(self) -> None:
        self._drop_outdated()
        self._thread.start()

    def _drop_outdated(self) -> None:
        """Remove the spaces of models that come with Inkling as earlier versions made them."""
        for spec in (spec for spec in MODELS.values() if not spec.download_bytes):
            for space in self._spaces_of(spec) - {spec.space}:
                log.info("the index of an earlier %s is removed", spec.title)
                drop_space(self._service.base.store, space)
                self.spaces.forget(space)

    def drop_others(self) -> None:
        """Remove every space but the one in use: they are of another ledger, whose file ids mean
        nothing here."""
        store = self._service.base.store
        for space in set(list_spaces(store)) - {table_name(self._service.engine.spec.space)}:
            drop_space(store, space)

    def stop(self) -> None:
        """End within one step; what was committed is gone on from."""
        self._stop.set()
        self._wake.set()
        if (engine := self._engine) is not None:
            engine.encoders.close()  # whoever waits for it is told
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
        wanted = self._service.settings.model
        if wanted == self._service.engine.spec.id or wanted not in MODELS:
            return None
        return as_found(MODELS[wanted], self._service.base)

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
            "notes": list(self._engine.encoders.notes) if self._engine is not None else [],
            "error": None if error is None else {"message": error.message, "hint": error.hint},
        }

    def size_bytes(self, spec: ModelSpec) -> int:
        """Bytes on disk of a model's spaces."""
        folders = (
            self._service.base.store / f"{table_name(space)}{end}"
            for space in self._spaces_of(spec)
            for end in (".lance", ".segments")
        )
        return sum(folder_bytes(folder) for folder in folders)

    def drop(self, spec: ModelSpec) -> None:
        """Remove the space of a model that is neither in use nor wanted."""
        with self._lock:
            if spec.id in (self._service.engine.spec.id, self._service.settings.model):
                raise InklingError(
                    f"{spec.title} is in use.",
                    hint="Choose another with `inkling model use ID` first.",
                )
            self._let_go_of_engine()
            for space in self._spaces_of(spec):
                drop_space(self._service.base.store, space)
                self.spaces.forget(space)

    def _spaces_of(self, spec: ModelSpec) -> set[str]:
        """A model's spaces, those of earlier weights and versions included."""
        names = {*list_spaces(self._service.base.store), *self.spaces.known()}
        return {name for name in names if name.startswith(f"{spec.id}-")}

    # The thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._lock:
                    moved = self._step()
            except Exception as error:  # noqa: BLE001 -- said, and tried again
                self._failed(error)
                moved = False
            if not moved:
                self._wake.wait(IDLE_WAIT)
                self._wake.clear()

    def _failed(self, error: Exception) -> None:
        """Say it and wait; a damaged space is made anew."""
        if self._stop.is_set():
            return
        known = error if isinstance(error, InklingError) else None
        if known is None:
            log.error("Building another model's index stumbled", exc_info=error)
        elif str(known) != str(self.error):
            log.warning("Another model's index waits: %s", known)
        if isinstance(error, StoreDamagedError) and (wanted := self.wanted) is not None:
            self._let_go_of_engine()
            drop_space(self._service.base.store, wanted.space)
            self.spaces.forget(wanted.space)
        self.error = known or InklingError(
            "The new model's index could not be built.", hint="See logs/indexer.log."
        )
        self._held_until = time.monotonic() + BACK_OFF_SECONDS

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
        self._go_over(self._engine)
        return True

    def _open(self, wanted: ModelSpec) -> Engine:
        """The engine of the space to be built, in step with what the ledger says of it."""
        service = self._service
        ensure_usable(model_spec(wanted.id), service.base)
        engine = service.make_engine(wanted)
        self.spaces.lost_after(wanted.space, engine.store.version)
        held, there = self.spaces.held(wanted.space), engine.store.file_ids()
        engine.delete(sorted(there - held.keys()))
        whole = there - engine.store.broken_files
        self.spaces.unnote(
            wanted.space, [i for i, units in held.items() if units and i not in whole]
        )
        self._reader = FileReader(
            service.base,
            service.ledger,
            service.extractors,
            service.settings,
            service.root_of,
            pixels="image" in wanted.modalities,
        )
        return engine

    def _next_files(self, wanted: ModelSpec) -> list[FileRecord]:
        now = time.monotonic()
        self._later = {i: until for i, until in self._later.items() if until > now}
        return self.spaces.todo(wanted.space, BATCH_FILES, self._later)

    def _hold(self) -> bool:
        """Wait while changes are worked on, at most for PATIENCE_SECONDS; False: not now."""
        service = self._service
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._stop.is_set():
            if service.pipeline.paused or service.throttle.hold():
                return False
            busy = service.pipeline.busy or service.ledger.next_pending(1)
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
            Built(
                w.record.id, w.content_hash, w.extractor_version, len(w.stored), version, w.detail
            )
            for w in done
        ]
        notes += [Built(r.id, r.content_hash or "", r.extractor_version, 0, 0) for r in unable]
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
            if self._stop.is_set() or self._engine.encoders.state == "failed":
                raise  # no model, no memory for it: the file is not to blame
            unable.append(record)
        finally:
            if work is not None and work.scratch is not None:
                shutil.rmtree(work.scratch, ignore_errors=True)
        return None

    # Going over

    def _go_over(self, engine: Engine) -> None:
        service = self._service
        log.info("Going over to %s", engine.spec.id)
        before, new = service.engine.spec, engine.spec
        sees = "image" in new.modalities
        self._engine = self._reader = None
        try:
            old = service.go_over(
                engine, lambda: self.spaces.switch(before.space, new.space, new.id, sees=sees)
            )
        finally:
            if service.engine is not engine:
                engine.close()
        # What was removed in the moment between.
        old.delete(sorted(old.store.file_ids() - self.spaces.held(before.space).keys()))
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
            if space == self._service.engine.spec.space:
                pass  # it has come into use since: start-up and the pipeline see to it
            elif self._engine is not None and space == self._engine.spec.space:
                self._engine.delete(file_ids)
            elif table_name(space) in list_spaces(self._service.base.store):
                self._delete_from(space, file_ids)
            self.spaces.taken_away(space, file_ids)

    def _delete_from(self, space: str, file_ids: list[int]) -> None:
        spec = next((s for s in self._specs() if s.space == space), None)
        if spec is None:  # of weights that are gone: nobody can use it again
            drop_space(self._service.base.store, space)
            self.spaces.forget(space)
            return
        for last in (False, True):
            store = Store.open(self._service.base.store, space, spec.dim)
            try:
                if not last:
                    store.delete_files(file_ids)
                store.maintain(force=True)
            finally:
                store.close()
            # The commit before the last one still has the rows, and is kept for a moment.
            self._stop.wait(SETTLE_SECONDS)

    def _specs(self) -> list[ModelSpec]:
        return [as_found(spec, self._service.base) for spec in MODELS.values()]


def folder_bytes(folder: Path) -> int:
    """Bytes of the files below a folder; maintenance may be removing some of them."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total
