"""The second stage: units of files encoded together; a file that the model can't take is told."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.archive.entries import ArchivedFile
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.encoders.pool import EncoderPool
from engine.encoders.sights import Phrases
from engine.store import StoredUnit
from engine.stored_units import stored_units
from indexer.archiving.job import Job, own_scratch
from indexer.archiving.reading import ReadFile
from indexer.archiving.survey import Versions
from indexer.reading.work import MOST_NOTES

#: Units for one call of the encoder: enough to sort by length, little enough to stream.
UNITS = 192


@dataclass(slots=True)
class Made:
    """A file as the archive is to have it."""

    row: ArchivedFile
    units: list[StoredUnit]
    read_s: float
    encode_s: float = 0.0
    left: bool = False  # nothing is written
    same: bool = False  # its units are those that the archive has


class Encoding:
    """Encodes files one batch after another."""

    def __init__(self, job: Job) -> None:
        self._scratch = own_scratch(job.scratch)
        self._spec = job.model
        self._encoders = EncoderPool(job.model, BaseDir(job.base), threads=job.threads)
        self._phrases = Phrases()
        self._tried = Versions(job.settings).tried

    def encode(self, files: Sequence[ReadFile]) -> list[Made]:
        """The same files, in their order. InklingError where no model can be had."""
        made: list[Made] = []
        batch: list[ReadFile] = []
        for file in files:
            batch.append(file)
            if sum(len(one.units) for one in batch) >= UNITS:
                made += self._encode(batch)
                batch = []
        return made + (self._encode(batch) if batch else [])

    def close(self) -> None:
        """End the worker and remove what it left."""
        self._encoders.close()
        shutil.rmtree(self._scratch.root, ignore_errors=True)

    def _encode(self, files: Sequence[ReadFile]) -> list[Made]:
        started = time.perf_counter()
        try:
            units = self._together(files)
        except InklingError as error:
            if self._encoders.state == "failed":
                raise  # no model, no memory for it: the files are not to blame
            if len(files) > 1:
                return [made for file in files for made in self._encode([file])]
            row = replace(
                files[0].row,
                content="",
                state="failed",
                reason="encoder",
                note=str(error),
                version=self._tried,
                units=0,
                thumb=None,
            )
            return [Made(row, [], files[0].seconds)]
        seconds = time.perf_counter() - started
        at, made = 0, []
        whole = max(1, len(units))
        for file in files:
            mine = units[at : at + len(file.units)]
            at += len(mine)
            row = replace(file.row, note=_note(file.row.note, mine))
            share = seconds * len(mine) / whole
            made.append(Made(row, mine, file.seconds, share, file.left, file.same))
        return made

    def _together(self, files: Sequence[ReadFile]) -> list[StoredUnit]:
        folder = self._scratch.scratch
        pairs = []
        for number, file in enumerate(files):
            for at, (facts, unit) in enumerate(file.units):
                if at in file.pictures:
                    picture = folder / f"{number}-{at}{Path(unit.image or '').suffix}"
                    picture.write_bytes(file.pictures[at])
                    unit = replace(unit, image=str(picture))
                pairs.append((facts, unit))
        made: list[StoredUnit] = []
        for start in range(0, len(pairs), UNITS):
            some = pairs[start : start + UNITS]
            made += [
                _lean(u) for u in stored_units(self._encoders, self._spec, some, self._phrases)
            ]
        for picture in folder.iterdir():
            picture.unlink()
        return made


def _lean(stored: StoredUnit) -> StoredUnit:
    """Without what its record of tokens holds, and what only encoding needs."""
    return replace(stored, unit=replace(stored.unit, words=(), image=None))


def _note(notes: str, units: Sequence[StoredUnit]) -> str:
    """What was left out, and how exactly pictures were seen."""
    seen = list(dict.fromkeys(stored.note for stored in units if stored.note))
    if len(seen) > MOST_NOTES:
        seen[MOST_NOTES:] = ["…"]
    return "; ".join(filter(None, (notes, *seen)))
