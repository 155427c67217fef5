"""The table of extractors, and which of them reads a file. No heavy imports."""

from __future__ import annotations

import re
from pathlib import PurePath

from engine.contract.types import Kind
from indexer.reading.extract import (
    archives,
    binary_sheets,
    calendars,
    code,
    mail,
    markup,
    media,
    notebook,
    old_office,
    opendocument,
    outlook,
    pdf,
    picture,
    rtf,
    sheets,
    slides,
    tables,
    web,
    word,
)
from indexer.reading.extract.base import Extractor
from indexer.reading.extract.languages import FILES

#: Every family once; where two know an extension the first reads it.
EXTRACTORS: tuple[Extractor, ...] = (
    *picture.EXTRACTORS,
    *pdf.EXTRACTORS,
    *word.EXTRACTORS,
    *slides.EXTRACTORS,
    *sheets.EXTRACTORS,
    *binary_sheets.EXTRACTORS,
    *old_office.EXTRACTORS,
    *opendocument.EXTRACTORS,
    *rtf.EXTRACTORS,
    *tables.EXTRACTORS,
    *web.EXTRACTORS,
    *notebook.EXTRACTORS,
    *mail.EXTRACTORS,
    *outlook.EXTRACTORS,
    *calendars.EXTRACTORS,
    *archives.EXTRACTORS,
    *media.EXTRACTORS,
    *code.EXTRACTORS,
    *markup.EXTRACTORS,
)
#: The most bytes `pick` looks at.
HEAD = 4096

_BY_EXTENSION = {ext: row for row in reversed(EXTRACTORS) for ext in row.extensions}
_BY_NAME = {row.name: row for row in EXTRACTORS}
#: Binary formats told by their first bytes, whatever a text-like name says: row names.
_MAGIC = (
    (re.compile(rb"%PDF-"), "pdf"),
    (re.compile(rb"(?:G.{187}){8}", re.DOTALL), "video"),  # .ts, as of TypeScript
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP", re.DOTALL), "picture"),
)
#: Packages whose names other files have, too: keys of another kind are not Keynote's.
_PACKAGED = frozenset({"key"})
#: Names that promise nothing to read; sniffing them would only find text by chance.
_OPAQUE = frozenset({
    "bin", "dat", "exe", "dll", "so", "dylib", "o", "a", "obj", "lib", "pyc", "class",
    "img", "dmg", "db", "sqlite", "ttf", "otf", "woff",
    "woff2", "kdbx", "npy", "npz", "parquet", "pkl", "pt", "safetensors",
    "onnx", "gguf", "wasm",
})  # fmt: skip
_SCREENSHOT_NAME = re.compile(r"screen[ _-]?(shot|capture|grab)|bildschirmfoto", re.IGNORECASE)


def pick(path: PurePath, head: bytes) -> Extractor | None:
    """The extractor for a file: by its name, else by its first bytes; None if no one reads it."""
    if path.name.lower() in FILES:
        return _BY_NAME["code"]
    row = _BY_EXTENSION.get(path.suffix[1:].lower())
    if head and path.suffix[1:].lower() in _PACKAGED and not head.startswith(b"PK"):
        row = None
    if not head or (row is not None and row.kind not in ("note", "code", "other")):
        return row
    for pattern, name in _MAGIC:
        if pattern.match(head):
            return _BY_NAME.get(name, row)
    if row is not None or path.suffix[1:].lower() in _OPAQUE:
        return row
    return next((row for row in EXTRACTORS if row.sniff and row.sniff(head[:HEAD])), None)


def kind_of(path: PurePath) -> Kind:
    """What the file is, as far as its name tells."""
    row = pick(path, b"")
    if row is None:
        return "other"
    if row.kind == "image" and _SCREENSHOT_NAME.search(path.name):
        return "screenshot"
    return row.kind
