"""The service: opens what the indexer needs, keeps it running, answers what the faces ask."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.paths import BaseDir
from engine.contract.query import both, parse
from engine.contract.settings import Settings
from engine.contract.types import Answer, Filters, Query
from engine.engine import Engine, thumb_path
from engine.models.registry import ModelSpec
from engine.search.answers import HitMaker
from engine.search.searcher import NameMatch
from indexer.indexing.activation import ModelSwitch, folder_bytes
from indexer.indexing.downloads import Downloads
from indexer.indexing.pipeline import Pipeline
from indexer.indexing.progress import Progress
from indexer.indexing.throttle import Throttle
from indexer.ledger.ledger import FileRecord, Ledger, Root
from indexer.ledger.roots_file import inside
from indexer.reading.file_reader import facts_of
from indexer.reading.pool import ExtractorPool
from indexer.sources.changes import Changes
from indexer.sources.ignore import Ignored, IgnoreRules
from indexer.sources.scan import ScanResult
from indexer.sources.scanner import Scanner
from indexer.sources.watch import Watcher

log = logging.getLogger(__name__)


class Service:
    """One indexer over one base directory. `open` recovers, `start` runs, `close` ends in order."""

    def __init__(self, base: BaseDir, settings: Settings | None = None) -> None:
        self.base = base.create()
        self.settings = settings or Settings.load(base)
        self.health: list[dict[str, str]] = []
        self._lock = FileLock(self.base.lock, timeout=0)
        self._removing: set[int] = set()  # gone from the ledger, rows not yet deleted
        self._paused_until: float | None = None
        self._timer: threading.Timer | None = None
        self.stopped = threading.Event()
        self.again = False  # after the end it is to be started anew: something was damaged

    # Life cycle

    def open(self) -> Service:
        """Take the lock, open ledger and store, recover what a crash left."""
        try:
            self._lock.acquire()
        except Timeout:
            raise InklingError(
                f"Another indexer is already running for {self.base.root}.",
                hint="Use it, or end it with `inkling stop`.",
            ) from None
        except OSError as error:
            raise InklingError(
                f"Inkling can't write to its folder {self.base.root}: {error.strerror or error}.",
                hint="Free some space or fix its permissions, or choose another with --base-dir.",
                path=str(self.base.root),
            ) from error
        self._empty_scratch()
        self.ledger = self._open_ledger()
        self.engine = self._open_engine()
        workers = self.settings.workers or max(2, min(4, (os.cpu_count() or 2) // 2))
        self.extractors = ExtractorPool(
            self.base.scratch, workers, self.settings.memory_cap_mb * 1_000_000
        )
        self._confine()
        self.throttle = Throttle(self.base, self.settings, lambda: folder_bytes(self.base.store))
        self.progress = Progress(self.ledger, workers)
        self.pipeline = self._make_pipeline()
        self.scanner = Scanner(
            self.ledger, self.rules, self._on_scan, lambda error: self.pipeline.hold(error)
        )
        self.watcher = Watcher(self.rules, self._on_changes, closed=[str(self.base.root)])
        self.models = ModelSwitch(self)
        self.downloads = Downloads(self.base)
        self._reconcile()
        return self

    def _make_pipeline(self) -> Pipeline:
        return Pipeline(
            self.base,
            self.ledger,
            self.engine,
            self.extractors,
            self.settings,
            workers=self.progress.workers,
            throttle=self.throttle,
            progress=self.progress,
            root_of=self.root_of,
            look=self._look,
            on_damage=self._on_damage,
        )

    def _empty_scratch(self) -> None:
        shutil.rmtree(self.base.scratch, ignore_errors=True)
        self.base.create()

    def _open_ledger(self) -> Ledger:
        ledger = Ledger(self.base.ledger)
        if ledger.damage:
            log.error("The ledger was damaged: %s", ledger.damage)
            self._say("warning", "The list of files was damaged.", "Your files are read again.")
        for record in ledger.recover():
            log.warning("Set aside after it ended its worker repeatedly: file %d", record.id)
        return ledger

    def _open_engine(self) -> Engine:
        spec = ModelSwitch.first_model(self)
        try:
            if self._marks("rebuild").exists():
                raise StoreDamagedError("The search index was damaged.")
            return self.make_engine(spec)
        except StoreDamagedError as error:
            log.error("%s", error)
            self._say("warning", error.message, "The index is being rebuilt from your files.")
            aside = self.base.store.with_name(f"store.damaged-{int(time.time())}")
            self.base.store.rename(aside)
            self.base.create()
            shutil.rmtree(aside, ignore_errors=True)
            return self.make_engine(spec)

    def make_engine(self, spec: ModelSpec) -> Engine:
        """An engine over a model's space, which is made if there is none."""
        return Engine(
            self.base,
            spec,
            self.names,
            alive=lambda file_id: file_id not in self._removing,
            idle_s=self.settings.idle_minutes * 60.0,
            threads=self.settings.encoder_threads or None,
        )

    def go_over(self, engine: Engine, note: Callable[[], None]) -> Engine:
        """Index and answer with another engine from now on; the one before, still open.

        `note` has the ledger tell of the new space. Searches go on all the while.
        """
        before, paused = self.engine, self.pipeline.paused
        self.pipeline.stop()
        try:
            note()
            self.engine = engine
        finally:  # with whichever of the two it is
            self.pipeline = self._make_pipeline()
            if paused:
                self.pipeline.pause()
            try:
                self._reconcile()  # what the scans found meanwhile
            except InklingError as error:
                self.pipeline.hold(error)
            self.pipeline.start()
        return before

    def _marks(self, name: str) -> Path:
        return self.base.store / name

    def _on_damage(self, error: InklingError) -> None:
        """Something can't be read any more: end, and start anew, where damage is mended.

        Opening a store finds most damage; what it does not find is met again, and then the store
        is made anew.
        """
        if self.again:
            return
        log.error("Starting anew: %s", error)
        with contextlib.suppress(OSError):
            if isinstance(error, StoreDamagedError):
                seen = self._marks("suspect").exists()
                self._marks("rebuild" if seen else "suspect").touch()
        self.again = True
        self.stopped.set()

    def _reconcile(self) -> None:
        """After a crash or power cut: the ledger decides, the store follows."""
        self.engine.maintain(force=True)  # what a crash left half-written goes
        owner = self._marks("ledger-id")
        if not owner.exists() or owner.read_bytes() != self.ledger.ledger_id.encode():
            # Another ledger's rows: the file ids in them mean nothing here.
            self.engine.delete(sorted(self.engine.store.file_ids()))
            self.models.drop_others()
            self.ledger.redo_all()
            owner.write_text(self.ledger.ledger_id)
            return
        if lost := self.ledger.redo_after(self.engine.store.version):
            self._say_lost(lost)
        places = self.engine.store.places()
        records = self.ledger.files()
        # Pending files keep their rows: old answers are better than none.
        if ghosts := places.keys() - {r.id for r in records if r.units}:
            self.engine.delete(sorted(ghosts))
        whole = places.keys() - self.engine.store.broken_files  # token records lost with a segment
        if missing := [
            r.id for r in records if r.state == "done" and r.units and r.id not in whole
        ]:
            self._say_lost(len(missing))
            self.ledger.requeue(missing)
        # Moved or touched, and the store had not heard of it.
        stale = [r for r in records if r.id in whole and places[r.id] != (r.path, r.mtime_ns / 1e9)]
        self.engine.move([facts_of(r) for r in stale if r.state == "done"], self.pipeline.reword)

    def _say_lost(self, files: int) -> None:
        log.warning("%d files are indexed again: the store has lost them", files)
        self._say("warning", "A part of the index was damaged.", f"{files} files are read again.")

    def _confine(self) -> None:
        self.extractors.confine([root.path for root in self.ledger.roots()])

    def start(self) -> None:
        self.pipeline.start()
        self.scanner.start()
        self.scanner.scan_all()
        self.watcher.set_roots(self.ledger.roots())
        self.watcher.start()
        self.models.start()

    def close(self) -> None:
        """End threads and workers in order, then let others have the base directory."""
        if self._timer is not None:
            self._timer.cancel()
        self.watcher.stop()
        self.scanner.stop()
        self.downloads.stop()
        self.models.stop()
        self.pipeline.stop()
        self.extractors.close()
        self.engine.close()
        self.ledger.close()
        self._lock.release()

    def _say(self, level: str, title: str, hint: str) -> None:
        self.health.append({"level": level, "title": title, "hint": hint})

    # Folders

    def rules(self) -> IgnoreRules:
        return IgnoreRules(self.settings.excluded, hidden=self.settings.hidden_files)

    def root_of(self, path: str) -> str:
        """The watched folder a path lies in, the innermost; "" if none."""
        around = [r.path for r in self.ledger.roots() if path == r.path or inside(path, r.path)]
        return max(around, key=len, default="")

    def _reaches(self, root: str, folder: str) -> bool:
        """Whether the walk of a root enters a folder below it."""
        try:
            same_disk = os.stat(root).st_dev == os.stat(folder).st_dev
        except OSError:
            return False  # one of them is away: both stay what they are
        return same_disk and self.ignored(folder, root) is None

    def add_folders(self, paths: Sequence[str]) -> list[Root]:
        roots = [self.ledger.add_root(path, self._reaches) for path in paths]
        self._confine()
        for root in roots:
            self.scanner.scan(root.id)
        self.watcher.set_roots(self.ledger.roots())
        return roots

    def remove_folders(self, paths: Sequence[str]) -> int:
        """Forget folders: rows, vectors, thumbnails and names; the number of files forgotten."""
        count = 0
        for path in paths:
            file_ids = self.ledger.remove_root(path)
            self._forget(file_ids)
            count += len(file_ids)
        self._confine()
        self.watcher.set_roots(self.ledger.roots())
        return count

    def _forget(self, file_ids: Sequence[int]) -> None:
        self._removing.update(file_ids)
        self.pipeline.apply(
            removed=file_ids, then=lambda: self._removing.difference_update(file_ids)
        )

    def _on_changes(self, root: Root, changes: Changes) -> None:
        """The watcher saw something: a hint where to look."""
        self.scanner.scan(root.id, () if changes.whole else changes.paths)

    def _look(self, path: str) -> None:
        """A file was not where it should be."""
        top = self.root_of(path)
        for root in self.ledger.roots():
            if root.path == top:
                self.scanner.scan(root.id, [path])

    def _on_scan(self, root: Root, result: ScanResult) -> None:
        if gone := [*result.removed, *result.dropped]:
            self._forget(gone)
        moved = [self.ledger.file_by_id(file_id) for file_id, _, _ in result.moved]
        self.pipeline.apply(moved=[facts_of(r) for r in moved if r is not None])
        self.pipeline.wake()

    # Search

    def names(self, words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        found = self.ledger.find_names(words, limit, filters)
        return [NameMatch(facts_of(hit.file), hit.score) for hit in found]

    def search(
        self,
        text: str,
        *,
        image: str | None = None,
        limit: int = 20,
        filters: Filters | None = None,
    ) -> Iterator[Answer]:
        """The stages of an answer."""
        query = parse(text, image=image)
        if filters is not None:
            query = replace(query, filters=both(query.filters, filters))
        if image is not None:
            query = self._with_picture(query)
        try:
            for answer in self.engine.search(query, limit):
                yield self._in_truth(answer)
        except StoreDamagedError as error:
            # The names are in the ledger: they are whole.
            self._on_damage(error)
            names = self.names(query.text.split(), limit, query.filters)
            hits = HitMaker(query.text, self.engine.store).from_names(names)
            answer = self._in_truth(Answer(hits, "rescored", 0.0))
            message = f"{error} Only names were searched."
            coverage = {**answer.coverage, "complete": False, "message": message}
            yield replace(answer, coverage=coverage)

    def _in_truth(self, answer: Answer) -> Answer:
        """With what it could not have come from, and hits on drives that are away marked so."""
        away = tuple(r.path.rstrip("/") + "/" for r in self.ledger.roots() if not r.online)
        hits = [
            replace(hit, offline=True) if hit.path.startswith(away) else hit for hit in answer.hits
        ]
        return replace(answer, hits=hits, coverage=self.coverage())

    def _with_picture(self, query: Query) -> Query:
        """A query picture: for a model that does not see, the words in the picture ask."""
        if query.image is None or not Path(query.image).is_file():
            raise InklingError(
                f"There is no picture at {query.image}.", hint="Check the path.", path=query.image
            )
        if "image" in self.engine.spec.modalities:
            return query
        extraction, scratch = self.extractors.extract(query.image, urgent=True)
        shutil.rmtree(scratch, ignore_errors=True)
        words = " ".join(part.text for part in extraction.parts).split()
        return replace(query, text=" ".join([query.text, *words[:120]]).strip(), image=None)

    def similar(self, path: str, limit: int = 20) -> Answer:
        record = self.indexed(path)
        return self._in_truth(self.engine.similar(record.id, limit))

    def indexed(self, path: str) -> FileRecord:
        """The record of a file in the index; InklingError if it is not in there."""
        record = self.ledger.file(os.path.abspath(path))
        if record is None:
            raise InklingError(
                f"{path} is not in the index.",
                hint="Add its folder with `inkling add`, or see `inkling explain`.",
                path=path,
            )
        return record

    def coverage(self) -> dict[str, Any]:
        """How much of what is there an answer could have come from."""
        counts = self.ledger.counts()
        waiting = counts.get("pending", 0) + counts.get("seen", 0)
        total = sum(counts.values())
        complete = not waiting and not self.scanner.scanning
        message = "" if complete else f"{waiting} of {total} files are not read yet."
        return {
            "files": total,
            "done": counts.get("done", 0),
            "pending": waiting,
            "complete": complete,
            "message": message,
        }

    # State

    def status(self) -> dict[str, Any]:
        """What the faces show; see the API."""
        counts = self.ledger.counts()
        scanning = self.scanner.scanning
        return {
            "state": self.state(),
            "paused_until": self._paused_until,
            "model": {
                "id": self.engine.spec.id,
                "title": self.engine.spec.title,
                "state": self.engine.encoders.state,
                "notes": list(self.engine.encoders.notes),
                "next": self.models.progress(),
            },
            "folders": [self._folder(root, root.id in scanning) for root in self.ledger.roots()],
            "totals": {**_counts(counts), "units": self.engine.store.count()},
            "encoded": self.pipeline.encoded,
            "reader_restarts": self.extractors.restarts,
            "eta_s": self.progress.eta(counts),
            "index_bytes": self.engine.store.size_bytes(),
            "health": [*self.health, *self.throttle.health(), *self.watcher.health],
        }

    def state(self) -> str:
        if self.pipeline.paused:
            return "paused"
        if self.scanner.scanning:
            return "scanning"
        if self.pipeline.busy or self.ledger.next_pending(1):
            return "paused" if self.throttle.hold() else "indexing"
        return "idle"

    def _folder(self, root: Root, scanning: bool) -> dict[str, Any]:
        counts = self.ledger.counts(root.id)
        return {
            "path": root.path,
            "online": root.online,
            "scanning": scanning,
            **_counts(counts),
            "eta_s": self.progress.eta(counts),
        }

    def pause(self, seconds: float | None = None) -> None:
        """Stop indexing for a while, or until `resume`; search goes on."""
        self._cancel_timer()
        self.pipeline.pause()
        if seconds is not None:
            self._paused_until = time.time() + seconds
            self._timer = threading.Timer(seconds, self.resume)
            self._timer.daemon = True
            self._timer.start()

    def resume(self) -> None:
        self._cancel_timer()
        self.pipeline.resume()

    def _cancel_timer(self) -> None:
        self._paused_until = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def thumbnail(self, path: str, page: int | None) -> Path | None:
        """The thumbnail of an indexed file; None if there is none."""
        record = self.ledger.file(path)
        if record is None:
            return None
        for number in (page, None, 1):
            thumb = thumb_path(self.base, record.id, number)
            if thumb.exists():
                return thumb
        return None

    def retry(self, paths: Sequence[str] | None) -> int:
        """Try failed files again: these, or all whose reason allows it."""
        if paths is None:
            count = self.ledger.requeue(None)
        else:
            count = self.ledger.requeue([self.indexed(path).id for path in paths])
        self.pipeline.wake()
        return count

    def allow(self, paths: Sequence[str]) -> int:
        """The person says that these withheld files may be indexed."""
        count = self.ledger.allow([self.indexed(path).id for path in paths])
        self.pipeline.wake()
        return count

    def ignored(self, path: str, root: str) -> Ignored | None:
        """The rule by which a path below a root is left out."""
        return self.rules().decision(root, path, os.path.isdir(path))


def _counts(counts: dict[str, int]) -> dict[str, int]:
    states = ("done", "failed", "skipped", "withheld")
    return {
        "files": sum(counts.values()),
        "pending": counts.get("pending", 0) + counts.get("seen", 0),
        **{state: counts.get(state, 0) for state in states},
    }
