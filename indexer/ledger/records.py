"""The ledger's values: a root, a file's record, a file as found, a file as done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.contract.attributes import ATTRIBUTES, Value
from engine.contract.errors import FileState
from engine.contract.types import NameParts


@dataclass(frozen=True, slots=True)
class Root:
    """A folder the person wants watched."""

    id: int
    path: str  # absolute, as given: a symlink is not resolved
    added: float  # seconds since the epoch
    online: bool
    identity: str  # device number at the last scan, to tell an unmounted drive


@dataclass(frozen=True, slots=True)
class FileRecord:
    """All that is known of one file."""

    id: int
    root_id: int
    path: str  # absolute; undecodable bytes as surrogate escapes
    kind: str
    ext: str
    size: int
    mtime_ns: int
    inode: int
    content_hash: str | None  # of what the store holds; None if it holds nothing of this file
    state: FileState
    reason: str
    detail: str
    attempts: int  # starts since the last success
    units: int
    reading_version: int  # of extractor, chunking and context together
    store_version: int
    rule: str  # by which rule it was withheld or skipped
    allowed: bool  # the person said that it holds no secret
    picture: str | None
    language: str | None
    extractor: str  # name of the one that read it, "" where that was not noted
    stale: bool  # indexed, and read better now than it was
    text_hash: str | None  # of its words alone; None where these don't tell it from others
    unread: int  # pages that are still to be read; then it is pending, and the others are indexed
    partly: bool  # indexed, and not with all that is in it: `detail` says what is missing
    attributes: Mapping[str, Value]  # of engine.contract.attributes


@dataclass(frozen=True, slots=True)
class Found:
    """A file as the walk met it."""

    path: bytes
    size: int
    mtime_ns: int
    inode: int
    kind: str = "other"
    state: FileState = "pending"
    reason: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A file whose units the store has committed."""

    file_id: int
    units: int
    content_hash: str | None
    reading_version: int
    kind: str
    picture: str | None = None
    language: str | None = None
    detail: str = ""  # what was left out, such as passages withheld
    extractor: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    text_hash: str | None = None  # of its words, where files of the same words are copies
    unread: int = 0  # pages that are still to be read: it stays pending
    partly: bool = False  # something of it is not indexed


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads a family of files, and in which version."""

    name: str
    version: int
    extensions: tuple[str, ...]  # lower case, no dot: where it is not noted who read a file


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Files with the same contents, two at least; the likeliest meant first."""

    files: list[FileRecord]


@dataclass(frozen=True, slots=True)
class NameHit:
    """A file whose name answers."""

    file: FileRecord
    score: float  # 0..1; 1 is the exact name
    parts: NameParts = field(default_factory=NameParts)


T = TypeVar("T")
#: Far below SQLite's limit of 32,766 host parameters, and short transactions.
BATCH = 1_000
#: The columns of `files` that make a FileRecord, in its order.
COLUMNS = (
    "id, root_id, path, kind, ext, size, mtime_ns, inode, content_hash, state, reason, detail,"
    " attempts, units, reading_version, store_version, rule, allowed, picture, language,"
    " extractor, stale, text_hash, unread, partly"
) + "".join(f", {name}" for name in ATTRIBUTES)


def to_record(row: Sequence[Any]) -> FileRecord:
    split = len(row) - len(ATTRIBUTES)
    values, own = list(row[:split]), zip(ATTRIBUTES, row[split:], strict=True)
    values[2], values[17] = os.fsdecode(values[2]), bool(values[17])
    values[21], values[24] = bool(values[21]), bool(values[24])
    values.append({name: value for name, value in own if value is not None})
    return FileRecord(*values)


def to_root(row: Sequence[Any]) -> Root:
    return Root(row[0], os.fsdecode(row[1]), row[2], bool(row[3]), row[4])


def extension(name: str) -> str:
    """Lower case, no dot, "" if none; ".bashrc" has none."""
    return os.path.splitext(name)[1][1:].lower().encode("utf-8", "replace").decode()


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def marks(items: Sequence[object]) -> str:
    return ",".join("?" * len(items))


def below(folder: bytes) -> tuple[bytes, bytes]:
    """The range [first, last) of paths under a folder."""
    start = folder.rstrip(os.fsencode(os.sep)) + os.fsencode(os.sep)
    return start, start[:-1] + bytes([start[-1] + 1])
