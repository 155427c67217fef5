"""The table of extractors, and which of them reads a file. No heavy imports."""

from __future__ import annotations

import importlib
import re
from importlib.util import find_spec
from pathlib import Path

from engine.types import Kind
from indexer.extract.base import Extractor

_FAMILIES = ("picture", "pdf", "office", "markup", "code", "text")


def _table() -> tuple[Extractor, ...]:
    names = [f"{__name__}.{family}" for family in _FAMILIES]
    modules = [importlib.import_module(name) for name in names if find_spec(name)]
    return tuple(row for module in modules for row in module.EXTRACTORS)


EXTRACTORS: tuple[Extractor, ...] = _table()
_BY_EXTENSION = {ext: row for row in EXTRACTORS for ext in row.extensions}
_SCREENSHOT_NAME = re.compile(r"screen[ _-]?shot|screen[ _-]?capture|bildschirmfoto", re.IGNORECASE)
#: The most bytes `pick` looks at.
HEAD = 4096


def extension(path: Path) -> str:
    """Lower case, no dot, "" if there is none."""
    return path.suffix[1:].lower()


def pick(path: Path, head: bytes) -> Extractor | None:
    """The extractor for a file: by its name, else by its first bytes; None if no one reads it."""
    row = _BY_EXTENSION.get(extension(path))
    if row or not head:
        return row
    return next((row for row in EXTRACTORS if row.sniff and row.sniff(head[:HEAD])), None)


def kind_of(path: Path) -> Kind:
    """What the file is, as far as its name tells."""
    row = pick(path, b"")
    if row is None:
        return "other"
    if row.kind == "image" and _SCREENSHOT_NAME.search(path.name):
        return "screenshot"
    return row.kind


def version_of(path: Path) -> str:
    """Which extractor in which version reads files of this name: when it changes, read again."""
    row = pick(path, b"")
    return f"{row.name}-{row.version}" if row else ""
