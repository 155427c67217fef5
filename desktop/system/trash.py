"""Moving files to the system's bin, and taking them back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFile

from desktop import strings as s
from desktop.system import current
from engine.contract.errors import InklingError


@dataclass(frozen=True, slots=True)
class Binned:
    """A file that is in the bin."""

    path: str  # where it was
    place: str  # where it is; empty where the system does not tell


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of several files."""

    binned: tuple[Binned, ...]
    error: InklingError | None  # of the first that could not be moved


def move_to_bin(paths: Sequence[str]) -> Outcome:
    """One after the other; the first that can't be moved ends it. For a worker thread."""
    binned: list[Binned] = []
    for path in paths:
        file = QFile(path)
        if not os.path.lexists(path):
            return Outcome(tuple(binned), _error(s.FILE_GONE, path))
        if not file.moveToTrash():
            return Outcome(tuple(binned), _error(s.NOT_BINNED, path, s.NOT_BINNED_HINT))
        place = file.fileName()
        binned.append(Binned(path, place if place != path else ""))
    return Outcome(tuple(binned), None)


def take_back(binned: Sequence[Binned]) -> None:
    """Put files where they were; nothing is written over. For a worker thread."""
    for one in binned:
        if os.path.lexists(one.path):
            raise _error(s.TAKEN_MEANWHILE, one.path)
        if not one.place or not os.path.lexists(one.place):
            raise _error(s.NOT_IN_BIN, one.path)
        try:
            os.rename(one.place, one.path)
        except OSError as error:
            raise _error(s.NOT_TAKEN_BACK, one.path, error.strerror or str(error)) from error
        if note := current().bin_note(Path(one.place)):
            Path(note).unlink(missing_ok=True)


def _error(sentence: str, path: str, hint: str = "") -> InklingError:
    return InklingError(sentence.format(name=Path(path).name), hint=hint, path=path)
