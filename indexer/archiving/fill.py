"""Filling an archive: survey, stages, one writer. Killed anywhere, the next run goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.archive.entries import About, ArchivedFile
from engine.contract.errors import InklingError
from indexer.archiving.encoding import Made
from indexer.archiving.job import Job, own_scratch
from indexer.archiving.progress import Progress, Say
from indexer.archiving.stages import Stages
from indexer.archiving.survey import Readers, survey
from indexer.archiving.writing import WritesArchive, Writing


class FillsArchive(WritesArchive, Protocol):
    """An archive, as a fill uses it."""

    @property
    def about(self) -> About: ...

    def files(self) -> Iterator[ArchivedFile]:
        """All that are there."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of it."""

    whole: bool  # all that is to be read could be read
    files: int  # that came through the stages


def fill(
    archive: FillsArchive,
    folders: Sequence[str],
    job: Job,
    readers: Readers,
    stages: Stages,
    say: Say,
    closed: Sequence[str] = (),
) -> Filled:
    """Have the archive hold what the folders hold. InklingError where it can't go on; what was
    written by then stays, and the next run goes on from there."""
    scratch = own_scratch()
    try:
        known = {file.file_id: file for file in archive.files()}
        found = survey(
            archive.about.archive_id,
            known,
            folders,
            job.settings,
            readers,
            scratch.root,
            closed=(*closed, str(job.base)),
        )
        del known
    finally:
        shutil.rmtree(scratch.root, ignore_errors=True)
    say(
        f"{len(found.tasks)} files to read, {len(found.gone)} to remove, {len(found.rights)} with "
        f"other readers, {found.same} as they were."
    )
    writing = Writing(archive)
    # What may not be read any more comes first: it waits for no long reading.
    writing.change(found.gone, found.rights)
    for row in found.names:
        writing.take(Made(row, [], 0.0))
    writing.flush()
    progress = Progress(say, len(found.tasks))
    if found.tasks:
        for made in stages(job, found.tasks):
            progress.took(made)
            if not made.left:
                writing.take(made)
        writing.flush()
    if progress.files != len(found.tasks):
        raise InklingError(
            "{missing} of {whole} files did not come through.",
            hint="Start it again: it goes on where it was.",
            told={"missing": len(found.tasks) - progress.files, "whole": len(found.tasks)},
        )
    return Filled(progress.close(found, writing), progress.files)
