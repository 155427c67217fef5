"""The role of sight: which model has it, what it sees in the background, and going over to another.

Passages are never touched for it. The model that answers goes on answering while another's
pictures are seen; what was seen once is kept, so that going back takes no encoding.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.encoders.elsewhere import FindElsewhere
from engine.models.files import ensure_usable
from engine.models.registry import MODELS, ModelSpec, model_spec
from engine.models.sizes import as_found
from engine.sight import SightModel
from engine.store import (
    Sighting,
    Sightings,
    drop_space,
    list_spaces,
    sight_space,
    sight_spaces,
    table_name,
)
from indexer.indexing.both_spaces import DOCUMENTS, PICTURES
from indexer.indexing.closed_space import forget_others
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.filling import Filling
from indexer.indexing.model_spaces import folder_bytes
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.reading.extract.base import ExtractError

log = logging.getLogger(__name__)

#: What is seen, in this order: pictures, then pages of documents that show something.
KINDS = (PICTURES, DOCUMENTS)
#: After an error that is no picture's fault nothing is tried for so long.
BACK_OFF_SECONDS = 20.0
#: Searches that were begun before the change may still ask the old model.
LET_GO_SECONDS = 20.0
IDLE_WAIT = 1.0
#: Spaces of models without the role forget removed files at most this often.
TIDY_SECONDS = 60.0
SEEING = "Seeing pictures"


class PixelReader(Protocol):
    """The confined workers."""

    def pixels(self, path: str) -> tuple[list[tuple[int | None, Path]], Path]:
        """Pictures of a file with the pages they are, and the folder that holds them: the caller
        removes it. ExtractError where the file gives none."""


@dataclass(frozen=True, slots=True)
class _Seat:
    """A model in the role, and what fills its space."""

    model: SightModel
    filling: Filling[Sighting]

    @property
    def is_whole(self) -> bool:
        pictures, seen = self.filling.counts()
        return seen >= pictures


class Seeing:
    """Has the wanted model see every indexed picture. One thread; the other methods are for any."""

    def __init__(
        self,
        base: BaseDir,
        settings: Settings,
        ledger: Ledger,
        reader: PixelReader,
        failures: RepeatedFailures,
        *,
        reads: Callable[[], ModelSpec],
        throttled: Callable[[], bool],
        busy: Callable[[], bool],
        elsewhere: FindElsewhere | None = None,
    ) -> None:
        """`reads`: the model in the role of text; `throttled`: nothing is to be done now; `busy`:
        changes go first; `elsewhere`: the encoder on another machine, if one may be used."""
        self._base, self._settings, self._ledger = base, settings, ledger
        self._reader, self._failures, self._reads = reader, failures, reads
        self._throttled, self._busy, self._elsewhere = throttled, busy, elsewhere
        self._stop, self._wake = threading.Event(), threading.Event()
        self._lock = threading.RLock()  # held to change who has the role
        self._in_use: _Seat | None = None
        self._next: _Seat | None = None  # to be in use when it has seen all
        self._retired: list[tuple[float, SightModel]] = []
        self._held_until = 0.0
        self._tidied = time.monotonic()
        self._tidy: object = None  # the ledger's edition when no such space held too much
        self.error: InklingError | None = None  # why the wanted model can't see
        self._thread = threading.Thread(target=self._run, name="seeing", daemon=True)

    # Life cycle

    def open(self) -> None:
        """Take up the model that had the role."""
        known = MODELS.get(self._ledger.meta("sight") or "")
        if known is not None:
            try:
                self._in_use = self._open(known)
            except InklingError as error:
                log.warning("%s is not taken up: %s", known.title, error)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End soon; what was committed stays."""
        self._stop.set()
        self._wake.set()
        for seat in self._seats():
            seat.model.stop()  # whoever waits for it is told
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        for seat in self._seats():
            seat.model.close()
        for _, model in self._retired:
            model.close()

    def reconcile(self) -> None:
        """After a crash, before anything else is written: the ledger decides."""
        for seat in self._seats():
            seat.filling.reconcile()

    def forget_all(self) -> None:
        """The ledger is another one: its file ids are not those that are noted."""
        for seat in self._seats():
            seat.model.sightings.delete(seat.model.sightings.contents())

    # Who has the role

    @property
    def model(self) -> SightModel | None:
        """The one that answers."""
        return None if self._in_use is None else self._in_use.model

    @property
    def wanted(self) -> ModelSpec | None:
        """The one that is to; None where none is, or the one that reads sees as well."""
        spec = MODELS.get(self._settings.sight_model)
        if spec is None or "sight" not in spec.roles or spec.id == self._reads().id:
            return None
        return as_found(spec, self._base)

    def spaces(self) -> list[Sightings]:
        """Those that have to hear what becomes of files."""
        return [seat.model.sightings for seat in self._seats()]

    def follow(self) -> None:
        """What is wanted has changed."""
        self.error, self._held_until = None, 0.0
        self._wake.set()

    def set_idle(self, seconds: float) -> None:
        """Let go of models after so long without work."""
        for seat in self._seats():
            seat.model.encoders.idle_s = seconds

    def drop(self, spec: ModelSpec) -> None:
        """Remove what a model saw; InklingError where it has the role or is to."""
        with self._lock:
            has = {seat.model.spec.id for seat in self._seats()}
            if spec.id in has or spec.id == self._settings.sight_model:
                raise sees_pictures(spec)
            for model in [m for _, m in self._retired if m.spec.id == spec.id]:
                model.close()
            self._retired = [entry for entry in self._retired if entry[1].spec.id != spec.id]
            for space in sight_spaces(list_spaces(self._base.store), spec.id):
                drop_space(self._base.store, space)

    # How far it is

    @property
    def waiting(self) -> bool:
        """Whether there is something to see now."""
        seat = self._next or self._in_use
        if seat is None or time.monotonic() < self._held_until or self.wanted is None:
            return False
        return seat.filling.waiting

    def counts(self) -> tuple[int, int]:
        """How many files the model that answers is to see, and how many it has seen."""
        seat = self._in_use
        return (0, 0) if seat is None else seat.filling.counts()

    def progress(self) -> dict[str, Any] | None:
        """Of the wanted model; None if there is none."""
        wanted, seat = self.wanted, self._next or self._in_use
        if wanted is None:
            return None
        mine = seat if seat is not None and seat.model.spec.space == wanted.space else None
        pictures, seen = mine.filling.counts() if mine is not None else (0, 0)
        error = self.error
        return {
            "id": wanted.id,
            "title": wanted.title,
            "in_use": mine is not None and mine is self._in_use,
            "pictures": pictures,
            "seen": seen,
            "seconds_each": None if mine is None else _seconds_each(mine.filling),
            "notes": [] if mine is None else mine.model.notes,
            "error": None if error is None else {"message": error.message, "hint": error.hint},
        }

    def size_bytes(self, spec: ModelSpec | None = None) -> int:
        """Bytes on disk of what a model saw, or all of them."""
        models = MODELS if spec is None else {spec.id: spec}
        names = list_spaces(self._base.store)
        return sum(
            folder_bytes(self._base.store / f"{table_name(space)}{end}")
            for model in models
            for space in sight_spaces(names, model)
            for end in (".lance", ".segments")
        )

    # The thread

    def _run(self) -> None:
        while not self._stop.is_set():
            worked = False
            try:
                worked = self._step()
                if worked:
                    self.error = None
                    self._failures.succeeded(SEEING)
            except BaseException as error:  # noqa: BLE001 -- said, and tried again
                if not self._stop.is_set():
                    pause = self._failures.failed(SEEING, error)
                    self._held_until = time.monotonic() + max(BACK_OFF_SECONDS, pause)
                    self.error = _said(error)
            if not worked:
                self._tidy_closed()
                self._wake.wait(IDLE_WAIT)
                self._wake.clear()

    def _step(self) -> bool:
        """Do a little; False if there is nothing to do now."""
        self._close_retired()
        wanted = self.wanted
        with self._lock:
            self._retire(wanted)
        if wanted is None or time.monotonic() < self._held_until:
            return False
        seat = self._next or self._in_use
        if seat is None or seat.model.spec.space != wanted.space:
            seat = self._take_up(wanted)
        worked = seat.filling.step()
        if seat.is_whole:
            self._ledger.set_meta(_whole(wanted), "1")
            if seat is self._next:
                self._go_over(seat)
        return worked

    def _retire(self, wanted: ModelSpec | None) -> None:
        """Let go of who is not wanted any more; the one in use goes on until another can answer."""
        space = None if wanted is None else wanted.space
        back = self._in_use is not None and self._in_use.model.spec.space == space
        if self._next is not None and (back or self._next.model.spec.space != space):
            self._let_go(self._next)
            self._next = None
        if self._in_use is not None and wanted is None:
            self._let_go(self._in_use)
            self._in_use = None
            self._ledger.set_meta("sight", "")

    def _take_up(self, wanted: ModelSpec) -> _Seat:
        seat = self._open(wanted)
        seat.filling.reconcile()
        with self._lock:
            self._next = seat
            if self._in_use is None or self._ledger.meta(_whole(wanted)):
                self._go_over(seat)
        return seat

    def _go_over(self, seat: _Seat) -> None:
        log.info("Pictures are seen by %s", seat.model.spec.id)
        with self._lock:
            before, self._in_use, self._next = self._in_use, seat, None
            self._ledger.set_meta("sight", seat.model.spec.id)
            if before is not None:
                self._let_go(before)

    def _tidy_closed(self) -> None:
        """Files that were removed leave the spaces of models that have no role, too."""
        edition, now = self._ledger.edition(), time.monotonic()
        early = now - self._tidied < TIDY_SECONDS
        if edition == self._tidy or early or self._throttled() or self._stop.is_set():
            return
        self._tidied = now
        with self._lock:  # nobody takes one up, or drops it, meanwhile
            models = [seat.model for seat in self._seats()] + [model for _, model in self._retired]
            there = {table_name(model.sightings.name) for model in models}
            specs = [as_found(spec, self._base) for spec in MODELS.values()]
            dims = {table_name(sight_space(spec.space)): spec.dim for spec in specs}
            closed = set(list_spaces(self._base.store)) & dims.keys() - there
            kept = {record.id for record in self._ledger.files()}
            store = self._base.store
            gone = sum(forget_others(store, space, dims[space], kept) for space in closed)
        # Once more where there were any: the version before the last is kept for a moment.
        self._tidy = None if gone else edition

    def _open(self, spec: ModelSpec) -> _Seat:
        ensure_usable(model_spec(spec.id), self._base)
        model = SightModel(
            self._base,
            as_found(model_spec(spec.id), self._base),
            elsewhere=self._elsewhere,
            idle_s=self._settings.idle_minutes * 60.0,
            threads=self._settings.encoder_threads or None,
        )

        def see(record: FileRecord) -> Sighting:
            return self._see(model, record)

        filling = Filling(
            model.sightings,
            KINDS,
            self._ledger,
            see,
            wanted=lambda: True,
            throttled=self._throttled,
            busy=self._busy,
            stop=self._stop,
        )
        return _Seat(model, filling)

    def _see(self, model: SightModel, record: FileRecord) -> Sighting:
        with self._pixels(record.path) as pictures:
            try:
                vectors, tokens = model.see([str(path) for _, path in pictures])
            except InklingError as error:
                if self._stop.is_set() or model.state == "failed":
                    raise  # no model, no memory for it: the picture is not to blame
                raise ExtractError("encoder", str(error)) from error
        pages = tuple(page for page, _ in pictures)
        return Sighting(vectors, pages, record.content_hash or "", tokens)

    @contextmanager
    def _pixels(self, path: str) -> Iterator[list[tuple[int | None, Path]]]:
        pictures, folder = self._reader.pixels(path)
        try:
            yield pictures
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _seats(self) -> list[_Seat]:
        return [seat for seat in (self._in_use, self._next) if seat is not None]

    def _let_go(self, seat: _Seat) -> None:
        self._retired.append((time.monotonic() + LET_GO_SECONDS, seat.model))

    def _close_retired(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [entry for entry in self._retired if entry[0] < now]
            self._retired = [entry for entry in self._retired if entry not in due]
        for _, model in due:
            model.close()


def sees_pictures(spec: ModelSpec) -> InklingError:
    """Why a model's weights and its space can't be removed now."""
    return InklingError(
        "{title} sees your pictures.",
        hint="Choose another with `inkling model use ID --for sight`, or `none`, first.",
        told={"title": spec.title},
    )


def _whole(spec: ModelSpec) -> str:
    """What the ledger notes of a model that has seen all there was: it can be in use at once."""
    return f"sight-whole:{spec.space}"


def _seconds_each(filling: Filling[Sighting]) -> float | None:
    """As measured since the start, of a picture or document."""
    return round(filling.seconds / filling.seen, 3) if filling.seen else None


def _said(error: BaseException) -> InklingError:
    if isinstance(error, InklingError):
        return error
    return InklingError("Pictures could not be seen.", hint="See logs/indexer.log.")
