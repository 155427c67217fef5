"""What a folder still says of a word, while an indexer may be working in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder. `os.walk` passes over what has gone; `Path.rglob` raises."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def traces(folder: Path, word: str) -> list[Path]:
    """The files below a folder that hold a word, in whatever case."""
    found = []
    for path in files_below(folder):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and word.lower().encode() in path.read_bytes().lower():
                found.append(path)
    return found
