"""Opens zip packages (office documents, books), refusing bombs and encrypted ones."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError

_MAX_ENTRIES = 20_000
_MAX_BYTES = 1_000_000_000  # unpacked, all together
_MAX_TEXT = 200_000_000  # unpacked, of one XML part: a tree takes some five times that
_MAX_RATIO = 300  # zip's own limit is 1,032; office XML reaches 100 at most
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what a password turns an office document into


@contextmanager
def package(path: Path) -> Iterator[zipfile.ZipFile]:
    """The opened package, its table of contents checked."""
    with path.open("rb") as file:
        if file.read(8) == _OLE:
            raise ExtractError("encrypted", "or saved in the format before 2007")
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive)
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, KeyError) as error:
        raise ExtractError("broken", str(error)) from error


def _check(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise ExtractError("encrypted")
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > _MAX_ENTRIES or total > _MAX_BYTES:
        raise ExtractError("too-complex", f"{len(entries)} entries of {total >> 20} MiB")
    if total > 50_000_000 and total > _MAX_RATIO * packed:
        raise ExtractError("too-complex", f"unpacks to {total // max(packed, 1)} times its size")
    for entry in entries:
        if entry.filename.endswith(".xml") and entry.file_size > _MAX_TEXT:
            raise ExtractError("too-complex", f"{entry.filename}: {entry.file_size >> 20} MiB")


def xml(archive: zipfile.ZipFile, name: str) -> Any:
    """The root element of an XML part; entities stay unexpanded, nothing is fetched."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(archive.read(name), parser)
    except etree.XMLSyntaxError as error:
        raise ExtractError("broken", f"{name}: {error}") from error
