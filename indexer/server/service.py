"""The service: opens what the indexer needs, keeps it running, answers what the faces ask."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
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
from engine.search.answers import HitMaker
from indexer.indexing.activation import ModelActivation
from indexer.indexing.downloads import Downloads
from indexer.indexing.estimate import KIND_OF
from indexer.indexing.index import Index, workers_of
from indexer.indexing.pipeline import Pipeline
from indexer.indexing.progress import Progress
from indexer.indexing.throttle import Throttle
from indexer.ledger.ledger import FileRecord, Ledger, Root
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import facts_of
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
        self._lock = FileLock(self.base.lock, timeout=0)
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
        workers = workers_of(self.settings)
        self.extractors = ExtractorPool(
            self.base.scratch, workers, self.settings.memory_cap_mb * 1_000_000
        )
        self.index = Index(
            self.base,
            self.settings,
            self.extractors,
            workers=workers,
            look=self._look,
            on_damage=self._start_anew,
        ).open()
        self._confine()
        self.scanner = Scanner(
            self.ledger,
            self.rules,
            self._on_scan,
            self.index.hold,
            failures=self.index.failures,
            kinds=KIND_OF,
        )
        self.watcher = Watcher(self.rules, self._on_changes, closed=[str(self.base.root)])
        self.models = ModelActivation(self.index, self.index.failures)
        self.downloads = Downloads(self.base)
        self.index.reconcile()
        return self

    @property
    def ledger(self) -> Ledger:
        return self.index.ledger

    @property
    def engine(self) -> Engine:
        return self.index.engine

    @property
    def pipeline(self) -> Pipeline:
        return self.index.pipeline

    @property
    def throttle(self) -> Throttle:
        return self.index.throttle

    @property
    def progress(self) -> Progress:
        return self.index.progress

    def _start_anew(self) -> None:
        self.again = True
        self.stopped.set()

    def _empty_scratch(self) -> None:
        shutil.rmtree(self.base.scratch, ignore_errors=True)
        self.base.create()

    def _confine(self) -> None:
        self.extractors.confine([root.path for root in self.ledger.roots()])

    def start(self) -> None:
        self.index.start()
        self.scanner.start()
        self.scanner.scan_all()
        self.watcher.set_roots(self.ledger.roots())
        self.watcher.start()
        self.models.start()

    def close(self) -> None:
        """End threads and workers in order, then let others have the base directory."""
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.ExitStack() as last:  # each is called even if another fails
            last.callback(self._lock.release)
            last.callback(self.index.stop)
            last.callback(self.models.stop)
            last.callback(self.downloads.stop)
            last.callback(self.scanner.stop)
            last.callback(self.watcher.stop)

    # Folders

    def rules(self) -> IgnoreRules:
        return IgnoreRules(self.settings.excluded, hidden=self.settings.hidden_files)

    def root_of(self, path: str) -> str:
        return self.index.root_of(path)

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
            self.index.forget(file_ids)
            count += len(file_ids)
        self._confine()
        self.watcher.set_roots(self.ledger.roots())
        return count

    def _on_changes(self, root: Root, changes: Changes) -> None:
        """The watcher saw something: a hint where to look."""
        self.scanner.scan(root.id, () if changes.whole else changes.paths)

    def _look(self, path: str) -> None:
        """A file was not where it should be."""
        if (root := self.ledger.root_of(path)) is not None:
            self.scanner.scan(root.id, [path])

    def _on_scan(self, root: Root, result: ScanResult) -> None:
        if gone := [*result.removed, *result.dropped]:
            self.index.forget(gone)
        moved = [self.ledger.file_by_id(file_id) for file_id, _, _ in result.moved]
        self.index.apply(moved=[facts_of(r) for r in moved if r is not None])
        self.pipeline.wake()

    # Search

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
            self.index.on_damage(error)
            names = self.index.names(query.text.split(), limit, query.filters)
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
        extraction, scratch = self.extractors.extract(query.image)
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
            "encoded": self.index.encoded,
            "improving": self.index.improving,
            "reader_restarts": self.extractors.restarts,
            "eta_s": self.progress.eta(counts),
            "index_bytes": self.engine.store.size_bytes(),
            "health": [*self.index.health(), *self.watcher.health],
        }

    def state(self) -> str:
        if self.pipeline.paused:
            return "paused"
        if self.scanner.scanning:
            return "scanning"
        if self.index.waiting:
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
