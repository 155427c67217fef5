"""The index: one owner of what is indexed, from the ledger over the pipeline to the store."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from engine import Engine, NameMatch, SameContents
from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import FileFacts, Filters
from engine.encoders.elsewhere import FindElsewhere
from engine.encoders.image_onnx import look
from engine.models.registry import ModelSpec
from engine.store import Looks, set_space_aside
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.looking import Looking
from indexer.indexing.model_spaces import drop_others, folder_bytes, model_in_use
from indexer.indexing.pipeline import Pipeline
from indexer.indexing.progress import Progress
from indexer.indexing.seeing import Seeing
from indexer.indexing.throttle import Throttle
from indexer.ledger.ledger import Ledger
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
from indexer.reading.versions import readers
from indexer.reading.work import facts_of, name_match

log = logging.getLogger(__name__)

#: How long an orderly end may take before what still reads or encodes is ended.
GRACE_SECONDS = 10.0


class Index:
    """Ledger, engine in use and pipeline over one base directory. `open` recovers, `reconcile`
    compares, `start` runs, `stop` ends; the other methods are for any thread."""

    def __init__(
        self,
        base: BaseDir,
        settings: Settings,
        extractors: ExtractorPool,
        *,
        workers: int = 2,
        look: Callable[[str], None] = lambda path: None,
        elsewhere: FindElsewhere | None = None,
        on_damage: Callable[[], None] = lambda: None,
    ) -> None:
        """`elsewhere`: the encoder on another machine, if one may be used; `look(path)` has a path
        scanned that was not where it should be; `on_damage` hears that the process is to end and
        start anew, where damage is mended."""
        self.base, self.settings, self.extractors = base, settings, extractors
        self.workers = workers
        self.failures = RepeatedFailures()
        self._look, self._damaged, self._elsewhere = look, on_damage, elsewhere
        self._said: list[dict[str, str]] = []  # what was found wrong at the start
        self._removing: set[int] = set()  # gone from the ledger, rows not yet deleted
        self._damage_noted = threading.Event()
        self._ending = threading.Event()

    # Life cycle

    def open(self) -> Index:
        """Open ledger and store, recover what a crash left."""
        self.ledger = self._open_ledger()
        self.looks = Looks(self.base.store, look.SPACE, look.DIM, len(look.VIEWS))
        self.seeing = Seeing(
            self.base,
            self.settings,
            self.ledger,
            self.extractors,
            self.failures,
            reads=lambda: self.engine.spec,
            throttled=self.throttled,
            busy=self._changes_first,
            elsewhere=self._elsewhere,
        )
        self.seeing.open()
        self.engine = self._open_engine()
        self.engine.wake()
        # At once, and by the version that was found: the next commits take the numbers of those
        # that were lost, and then nothing tells of them.
        if self._is_own_store and (lost := self.ledger.redo_after(self.engine.found_version)):
            self._say_lost(lost)
        self.throttle = Throttle(self.base, self.settings, lambda: folder_bytes(self.base.store))
        self.progress = Progress(self.ledger, self.workers)
        self.pipeline = self._make_pipeline()
        self.looking = Looking(
            self.looks,
            self.ledger,
            self.extractors,
            self.failures,
            wanted=lambda: self.settings.sight,
            throttled=self.throttled,
            busy=self._changes_first,
        )
        return self

    def _changes_first(self) -> bool:
        """Whether anything is read or to be: pictures are looked at behind that."""
        return bool(self.busy or self.ledger.next_pending(1))

    def start(self) -> None:
        """Begin to read what is pending."""
        self.pipeline.start()
        self.looking.start()
        self.seeing.start()
        self._carrying = threading.Thread(target=self._carry_names, name="names", daemon=True)
        self._carrying.start()

    def stop(self) -> None:
        """End in bounded time, whatever fails; the extractor pool ends with it."""
        self._ending.set()
        with contextlib.ExitStack() as last:  # each is called even if another fails
            last.callback(self.ledger.close)
            last.callback(self.looks.close)
            last.callback(self.engine.close)
            last.callback(self.seeing.stop)
            last.callback(self.looking.stop)
            last.callback(self.extractors.close)
            if not self.pipeline.stop(GRACE_SECONDS):
                # What it waits for is ended, so that it can end.
                self.extractors.close()
                self.engine.stop_encoding()
                self.pipeline.stop(GRACE_SECONDS)

    def _carry_names(self) -> None:
        """An older Inkling's names, step by step; others write to the ledger between the steps."""
        try:
            while self.ledger.carry_names_on() and not self._ending.wait(0.05):
                pass
        except InklingError as error:
            log.warning("Names are carried over at the next start: %s", error)

    def _make_pipeline(self) -> Pipeline:
        return Pipeline(
            self.base,
            self.ledger,
            self.engine,
            self.looks,
            self.extractors,
            self.settings,
            workers=self.workers,
            seen=self.seeing.spaces,
            throttle=self.throttle,
            progress=self.progress,
            failures=self.failures,
            look=self._look,
            on_damage=self.on_damage,
        )

    def _open_ledger(self) -> Ledger:
        ledger = Ledger(self.base.ledger)
        if ledger.damage:
            log.error("The ledger was damaged: %s", ledger.damage)
            self._say("warning", "The list of files was damaged.", "Your files are read again.")
        for record in ledger.recover():
            log.warning("Set aside after it ended its worker repeatedly: file %d", record.id)
        return ledger

    # The engine in use

    def _open_engine(self) -> Engine:
        spec = model_in_use(self.ledger, self.settings, self.base)
        try:
            if self._mark("rebuild").exists():
                raise StoreDamagedError("The search index was damaged.")
            return self.make_engine(spec)
        except StoreDamagedError as error:
            log.error("%s", error)
            self._say("warning", error.message, "The index is being rebuilt from your files.")
            # Other models' spaces are whole; `reconcile` has this one's files read again.
            aside = set_space_aside(self.base.store, spec.space)
            engine = self.make_engine(spec)
            for name in ("suspect", "rebuild"):
                self._mark(name).unlink(missing_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
            return engine

    def make_engine(self, spec: ModelSpec) -> Engine:
        """An engine over a model's space, which is made if there is none."""
        return Engine(
            self.base,
            spec,
            self.names,
            copies=self.copies,
            alive=lambda file_id: file_id not in self._removing,
            looks=self.looks,
            sight=lambda: self.seeing.model,
            elsewhere=self._elsewhere,
            idle_s=self.settings.idle_minutes * 60.0,
            threads=self.settings.encoder_threads or None,
        )

    def make_reader(self, spec: ModelSpec) -> FileReader:
        """What reads files for a model."""
        return FileReader(
            self.base,
            self.ledger,
            self.extractors,
            self.settings,
            pixels="image" in spec.modalities,
        )

    def activate(self, engine: Engine, note: Callable[[], None]) -> Engine:
        """Index and answer with another engine from now on; the one before, still open.

        `note` has the ledger tell of the new space. Searches go on all the while.
        """
        before, paused = self.engine, self.paused
        self.pipeline.stop()
        try:
            note()
            self.engine = engine
            engine.wake()
        finally:  # with whichever of the two it is
            self.pipeline = self._make_pipeline()
            if paused:
                self.pipeline.pause()
            try:
                self.reconcile()  # what the scans found meanwhile
            except InklingError as error:
                self.report(error)
            self.pipeline.start()
        return before

    def names(self, words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        """The files whose names answer: the engine's lane of names."""
        found = self.ledger.find_names(words, limit, filters)
        return [name_match(hit) for hit in found]

    def copies(self, file_ids: Sequence[int], filters: Filters) -> list[SameContents]:
        """Files with the same contents: what the engine folds into one hit."""
        groups = self.ledger.copies(file_ids, filters)
        return [SameContents([facts_of(record) for record in group.files]) for group in groups]

    # Recovery

    def reconcile(self) -> None:
        """After a crash or power cut: the ledger decides, the store follows."""
        self.engine.maintain(force=True)  # what a crash left half-written goes
        if not self._is_own_store:
            # Another ledger's rows: the file ids in them mean nothing here.
            self.engine.delete(sorted(self.engine.file_ids()))
            self.looks.delete(self.looks.contents())
            self.seeing.forget_all()
            kept = (space.name for space in self.seeing.spaces())
            drop_others(self.base.store, self.engine.spec.space, look.SPACE, *kept)
            self.ledger.redo_all()
            self._mark("ledger-id").write_text(self.ledger.ledger_id)
        else:
            self._compare()
            self.looking.reconcile()
            self.seeing.reconcile()
        if stale := self.ledger.note_versions(readers()):
            log.info("%d files are read again: they are read better now", stale)

    def _compare(self) -> None:
        """What the store lost is read again, what the ledger does not know leaves it."""
        places = self.engine.places()
        records = self.ledger.files()
        # Pending files keep their rows: old answers are better than none.
        if ghosts := places.keys() - {r.id for r in records if r.units}:
            self.engine.delete(sorted(ghosts))
        whole = places.keys() - self.engine.broken_files  # token records lost with a segment
        if missing := [
            r.id for r in records if r.state == "done" and r.units and r.id not in whole
        ]:
            self._say_lost(len(missing))
            self.ledger.requeue(missing)
        # Moved or touched, and the store had not heard of it.
        stale = [r for r in records if r.id in whole and places[r.id] != (r.path, r.mtime_ns / 1e9)]
        self.engine.move([facts_of(r) for r in stale if r.state == "done"], self.pipeline.reword)

    @property
    def _is_own_store(self) -> bool:
        """Whether the rows are of this ledger's files."""
        owner = self._mark("ledger-id")
        return owner.exists() and owner.read_bytes() == self.ledger.ledger_id.encode()

    def _mark(self, name: str) -> Path:
        return self.base.store / name

    def on_damage(self, error: InklingError) -> None:
        """Something can't be read any more: end, and start anew, where damage is mended.

        Opening a store finds most damage; what it does not find is met again, and then the store
        is made anew.
        """
        if self._damage_noted.is_set():
            return
        self._damage_noted.set()
        log.error("Starting anew: %s", error)
        with contextlib.suppress(OSError):
            if isinstance(error, StoreDamagedError):
                seen = self._mark("suspect").exists()
                self._mark("rebuild" if seen else "suspect").touch()
        self._damaged()

    # Work

    def apply(
        self,
        removed: Sequence[int] = (),
        moved: Sequence[FileFacts] = (),
        then: Callable[[], None] | None = None,
    ) -> None:
        """Take removed files' rows away and give moved files' rows their new path."""
        self.pipeline.apply(removed, moved, then)

    def forget(self, file_ids: Sequence[int]) -> None:
        """Files that the ledger has forgotten: no answer from now on, and no rows soon."""
        self._removing.update(file_ids)
        self.apply(removed=file_ids, then=lambda: self._removing.difference_update(file_ids))

    def wake(self) -> None:
        """There may be files to read."""
        self.pipeline.wake()

    def pause(self) -> None:
        self.pipeline.pause()

    def resume(self) -> None:
        self.pipeline.resume()

    @property
    def paused(self) -> bool:
        return self.pipeline.paused

    @property
    def busy(self) -> int:
        """Files between pending and done, and changes not yet in the store."""
        return self.pipeline.busy

    @property
    def encoder_threads(self) -> int:
        """Cores that a model runs on."""
        if hasattr(os, "sched_getaffinity"):
            return self.settings.encoder_threads or len(os.sched_getaffinity(0))
        return self.settings.encoder_threads or os.cpu_count() or 1

    @property
    def encoded(self) -> int:
        """Units encoded for the model in use."""
        return self.pipeline.encoded

    @property
    def improving(self) -> int:
        """Indexed files that are yet to be read again, because they are read better now."""
        return self.ledger.stale_count()

    @property
    def waiting(self) -> bool:
        """Whether any file is still to be read, again or for the first time, or looked at."""
        ledger = self.ledger
        reading = self.busy or ledger.next_pending(1) or ledger.next_partly_read(1)
        reading = reading or ledger.next_stale(1)
        return bool(reading) or self.looking.waiting or self.seeing.waiting

    def throttled(self) -> bool:
        """Whether nothing is to be indexed now: paused, or something stands against it."""
        return self.paused or bool(self.throttle.reason_to_wait())

    def report(self, error: BaseException) -> None:
        """Something failed: wait for what passes, mend what is damaged."""
        self.pipeline.report(error)

    def root_of(self, path: str) -> str:
        """The watched folder a path lies in, the innermost; "" if none."""
        root = self.ledger.root_of(path)
        return root.path if root is not None else ""

    def health(self) -> list[dict[str, str]]:
        """For the front ends: what was found wrong, what holds indexing, what fails again."""
        said = [*self._said, *self.throttle.health()]
        titles = {entry["title"] for entry in said}
        return said + [e for e in self.failures.health() if e["title"] not in titles]

    def _say_lost(self, files: int) -> None:
        log.warning("%d files are indexed again: the store has lost them", files)
        self._say("warning", "A part of the index was damaged.", f"{files} files are read again.")

    def _say(self, level: str, title: str, hint: str) -> None:
        self._said.append({"level": level, "title": title, "hint": hint})


def workers_of(settings: Settings) -> int:
    """How many files are read at once."""
    return settings.workers or max(2, min(4, (os.cpu_count() or 2) // 2))
