"""The first stage: a file read by a confined worker, cut into units, its secrets withheld."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine import thumb_path
from engine.archive.entries import ArchivedFile
from engine.contract.errors import REASONS
from engine.contract.types import FileFacts, Unit
from indexer.archiving.job import NO_ROOM, ROOM, Job, own_scratch
from indexer.archiving.survey import Task, Versions, name_only, seen_as
from indexer.ledger.ledger import Root
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
from indexer.reading.same_text import text_hash
from indexer.reading.work import Work
from indexer.sources.contents import content_hash
from indexer.sources.systems import in_use

#: So often a file may end what reads it; then it is set aside with that as its reason.
DEATHS = 3

#: Told before a file is begun: its id, and that of the one finished before. How often it was begun
#: and never finished, this time included.
Begin = Callable[[int, int | None], int]


class Attempts:
    """Counts how often a file was begun and not finished, over the deaths of those that read."""

    def __init__(self) -> None:
        self._begun: dict[int, int] = {}

    def begin(self, file_id: int, finished: int | None = None) -> int:
        """A reader takes up a file, having finished with another."""
        if finished is not None:
            self._begun.pop(finished, None)
        self._begun[file_id] = self._begun.get(file_id, 0) + 1
        return self._begun[file_id]


@dataclass(slots=True)
class ReadFile:
    """What reading a file gave."""

    row: ArchivedFile
    units: list[tuple[FileFacts, Unit]] = field(default_factory=list)
    pictures: dict[int, bytes] = field(default_factory=dict)  # by unit, of a model that sees
    seconds: float = 0.0
    #: Nothing is written: it is gone since, or what the archive has of it stays.
    left: bool = False
    same: bool = False  # the contents are those that the archive has


class Reading:
    """Reads one file after another, as the settings say."""

    def __init__(self, job: Job, begin: Begin) -> None:
        settings = job.settings
        self._scratch = own_scratch(job.scratch)
        self._begin = begin
        self._finished: int | None = None
        self._folders = _Folders()
        self._extractors = ExtractorPool(
            self._scratch.scratch, workers=1, memory_bytes=settings.memory_cap_mb * 1_000_000
        )
        self._reader = FileReader(
            self._scratch,
            self._folders,
            self._extractors,
            settings,
            pixels="image" in job.model.modalities,
        )
        self._versions = Versions(settings)

    def read(self, task: Task) -> ReadFile:
        """The file with its units, or why there are none. InklingError where that is not its
        fault."""
        started = time.perf_counter()
        begun = self._begin(task.record.id, self._finished)
        made = self._read(task) if begun <= DEATHS else self._nothing(task, "crashed")
        self._finished = task.record.id
        made.seconds = time.perf_counter() - started
        return made

    def close(self) -> None:
        """End the worker and remove what it left."""
        self._extractors.close()
        shutil.rmtree(self._scratch.root, ignore_errors=True)

    def _read(self, task: Task) -> ReadFile:
        self._folders.root = Root(1, task.root, 0.0, True, "")
        for attempt in range(1, DEATHS + 1):
            try:
                if task.known is not None and self._holds(task.known, task.record.path):
                    return self._same(task, task.known)
                return self._taken(task, self._reader.read_again(task.record))
            except (ExtractError, OSError) as error:
                if shutil.disk_usage(self._scratch.root).free < ROOM:
                    raise NO_ROOM from error
                if not os.path.lexists(task.record.path):
                    return ReadFile(self._row(task, "unreadable", ""), left=True)
                if not isinstance(error, ExtractError):
                    reason = "in-use" if in_use(error) else "unreadable"
                    return self._nothing(task, reason, error.strerror or str(error))
                if error.reason != "crashed" or attempt == DEATHS:
                    return self._nothing(task, error.reason, error.detail)
        raise AssertionError

    def _holds(self, known: ArchivedFile, path: str) -> bool:
        return bool(known.content) and content_hash(path) == known.content

    def _same(self, task: Task, known: ArchivedFile) -> ReadFile:
        """Touched, not edited."""
        facts = replace(known.facts, mtime=task.record.mtime_ns / 1e9, size=task.record.size)
        row = replace(known, facts=facts, rights=task.readers, seen_as=seen_as(task.record))
        return ReadFile(row, same=True)

    def _nothing(self, task: Task, reason: str, detail: str = "") -> ReadFile:
        """Not read; what the archive has of the same edition is better than nothing."""
        stays = task.keep and REASONS[reason].state == "failed"
        return ReadFile(self._row(task, reason, detail), left=stays)

    def _row(self, task: Task, reason: str, detail: str) -> ArchivedFile:
        return name_only(task.record, task.readers, reason, detail, self._versions.tried)

    def _taken(self, task: Task, work: Work) -> ReadFile:
        """What is written of it, out of the scratch folder."""
        pictures = {
            at: Path(unit.image).read_bytes()
            for at, unit in enumerate(work.units)
            if unit.image is not None
        }
        work.drop_pictures()
        row = ArchivedFile(
            work.facts,
            work.content_hash,
            task.readers,
            note=work.notes,
            version=self._versions.of(work.extractor),
            seen_as=seen_as(task.record),
            units=len(work.units),
            thumb=self._thumb(task.record.id, work),
            text_hash=text_hash(work.facts.kind, work.units) or "",
        )
        return ReadFile(row, [(work.facts, unit) for unit in work.units], pictures)

    def _thumb(self, file_id: int, work: Work) -> bytes | None:
        """The picture of its first page; the others are not kept."""
        kept = None
        for page in dict.fromkeys((None, *(unit.page for unit in work.units))):
            with suppress(OSError):
                path = thumb_path(self._scratch, file_id, page)
                kept = kept or path.read_bytes()
                path.unlink()
        return kept


class _Folders:
    """What a reader asks a ledger, of the one file that is read."""

    root: Root | None = None

    def root_of(self, path: str) -> Root | None:
        return self.root

    def begin(self, ids: Sequence[int]) -> None:
        """Nothing is noted: the archive has a file when it is written."""
