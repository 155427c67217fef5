"""Three forms of film that are boxes in boxes (MP4, Matroska, AVI): length, time, tags, chapters.

No library that is kept reads the tags of Matroska and AVI, or when an MP4 without sound was made.
Only the boxes' heads are read of what is large, so that a film of gigabytes takes no longer.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

T = TypeVar("T")

MATROSKA = b"\x1aE\xdf\xa3"
#: Types of a first box that only MP4 and QuickTime begin with.
MP4 = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
#: Of one box that is read whole, and boxes that are looked at.
_MOST_BYTES, _MOST_BOXES = 16_000_000, 100_000
_TO_EPOCH_1904 = 2_082_844_800  # seconds from 1904, where MP4 counts from, to 1970
_TO_EPOCH_2001 = 978_307_200


@dataclass(slots=True)
class Told:
    """What a film's boxes say."""

    tags: list[tuple[str, str]] = field(default_factory=list)
    chapters: list[tuple[float, str]] = field(default_factory=list)  # second and title
    seconds: float = 0.0
    made: float | None = None  # since the epoch


@dataclass(frozen=True, slots=True)
class _Box:
    name: bytes
    start: int  # of its contents
    end: int


def read_mp4(path: Path) -> Told:
    """Length and time of the film's header; its tags are mutagen's."""
    told = Told()
    with path.open("rb") as file:
        for box in _mp4_boxes(file, 0, path.stat().st_size):
            if box.name != b"moov":
                continue
            for inner in _mp4_boxes(file, box.start, box.end):
                if inner.name == b"mvhd":
                    _movie_header(_contents(file, inner), told)
    return told


def _mp4_boxes(file: BinaryIO, at: int, end: int) -> Iterator[_Box]:
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, start = int.from_bytes(head[:4], "big"), at + 8
        if size == 1 and len(head) == 16:
            size, start = int.from_bytes(head[8:], "big"), at + 16
        until = end if size == 0 else min(at + size, end)
        if until < start:
            return
        yield _Box(head[4:8], start, until)
        at = until


def _movie_header(data: bytes, told: Told) -> None:
    form = ">4xIIII" if data[:1] == b"\0" else ">4xQQIQ"
    if len(data) < struct.calcsize(form):
        return
    made, _, scale, length = struct.unpack_from(form, data)
    if scale and length not in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):
        told.seconds = min(length / scale, 1e9)
    if 0 < made - _TO_EPOCH_1904 < 2**33:
        told.made = float(made - _TO_EPOCH_1904)


def _contents(file: BinaryIO, box: _Box) -> bytes:
    file.seek(box.start)
    return file.read(max(0, min(box.end - box.start, _MOST_BYTES)))  # it may begin behind its end


_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_INFO, _TAGS = b"\x15\x49\xa9\x66", b"\x12\x54\xc3\x67"
_CHAPTERS, _SEEK = b"\x10\x43\xa7\x70", b"\x11\x4d\x9b\x74"
_HOLDERS = frozenset({
    b"\x73\x73",  # Tag
    b"\x67\xc8",  # SimpleTag
    b"\x45\xb9",  # EditionEntry
    b"\xb6",  # ChapterAtom
    b"\x80",  # ChapterDisplay
    b"\x4d\xbb",  # Seek
})  # fmt: skip
_SCALE, _LENGTH, _DATE, _TITLE = b"\x2a\xd7\xb1", b"\x44\x89", b"\x44\x61", b"\x7b\xa9"
_TAG_NAME, _TAG_TEXT = b"\x45\xa3", b"\x44\x87"
_CHAPTER_START, _CHAPTER_TITLE = b"\x91", b"\x85"
_SEEK_NAME, _SEEK_PLACE = b"\x53\xab", b"\x53\xac"


def read_matroska(path: Path) -> Told:
    """Info, tags and chapters, before the film or where its list of places says that they lie."""
    told, size = Told(), path.stat().st_size
    with path.open("rb") as file:
        whole = (box for box in _elements(file, 0, size) if box.name == _SEGMENT)
        segment = next(whole, _Box(_SEGMENT, 0, 0))
        places: list[int] = []
        done: set[int] = set()
        for box in _elements(file, segment.start, segment.end):
            if box.name == _CLUSTER:
                break
            done.add(box.start)
            _read_element(file, box, told, places)
        for place in places:
            for box in itertools.islice(_elements(file, segment.start + place, segment.end), 1):
                if box.start not in done:
                    done.add(box.start)
                    _read_element(file, box, told, [])
    return told


def _read_element(file: BinaryIO, box: _Box, told: Told, places: list[int]) -> None:
    if box.name not in (_INFO, _TAGS, _CHAPTERS, _SEEK):
        return
    leaves = [(leaf.name, _contents(file, leaf)) for leaf in _leaves(file, box.start, box.end)]
    if box.name == _INFO:
        _info(dict(leaves), told)
    elif box.name == _TAGS:
        told.tags += _pairs(leaves, _TAG_NAME, _TAG_TEXT, _text)
    elif box.name == _CHAPTERS:
        starts = _pairs(leaves, _CHAPTER_START, _CHAPTER_TITLE, _number)
        told.chapters += [(start / 1e9, title) for start, title in starts]
    else:
        wanted = {_INFO, _TAGS, _CHAPTERS}
        name = b""
        for kind, data in leaves:
            if kind == _SEEK_NAME:
                name = data
            elif kind == _SEEK_PLACE and name in wanted:
                places.append(_number(data))


def _info(values: dict[bytes, bytes], told: Told) -> None:
    scale = _number(values[_SCALE]) if _SCALE in values else 1_000_000
    told.seconds = min(_real(values.get(_LENGTH, b"")) * scale / 1e9, 1e9)
    if len(date := values.get(_DATE, b"")) == 8:
        told.made = int.from_bytes(date, "big", signed=True) / 1e9 + _TO_EPOCH_2001
    if _TITLE in values:
        told.tags.append(("title", _text(values[_TITLE])))


def _pairs(
    leaves: list[tuple[bytes, bytes]], first: bytes, second: bytes, read: Callable[[bytes], T]
) -> Iterator[tuple[T, str]]:
    """Texts, each with the value that stands before it."""
    before: T | None = None
    for kind, data in leaves:
        if kind == first:
            before = read(data)
        elif kind == second and before is not None:
            yield before, _text(data)


def _leaves(file: BinaryIO, at: int, end: int, depth: int = 0) -> Iterator[_Box]:
    for box in _elements(file, at, end):
        if box.name in _HOLDERS and depth < 8:
            yield from _leaves(file, box.start, box.end, depth + 1)
        else:
            yield box


def _elements(file: BinaryIO, at: int, end: int) -> Iterator[_Box]:
    """EBML: a number of variable length that names, one that says how long it is."""
    for _ in range(_MOST_BOXES):
        if not 0 <= at < end:
            return
        file.seek(at)
        head = file.read(12)
        name = _width(head)
        width = _width(head[name:])
        if not name or not width or len(head) < name + width:
            return
        size = int.from_bytes(head[name : name + width], "big") & ((1 << 7 * width) - 1)
        start = at + name + width
        unknown = size == (1 << 7 * width) - 1
        yield _Box(head[:name], start, end if unknown else min(start + size, end))
        at = end if unknown else start + size


def _width(data: bytes) -> int:
    """Bytes of a number of variable length; 0 if it is none."""
    return 9 - data[0].bit_length() if data and data[0] else 0


def _number(data: bytes) -> int:
    return int.from_bytes(data[:8], "big")


def _real(data: bytes) -> float:
    if len(data) not in (4, 8):
        return 0.0
    value: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    return value if 0 <= value < 1e15 else 0.0


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")


def read_avi(path: Path) -> Told:
    """The header's frames and the tags of its list INFO."""
    told = Told()
    with path.open("rb") as file:
        for box in _riff_leaves(file, 12, path.stat().st_size):
            if box.name == b"avih":
                data = _contents(file, box)
                if len(data) >= 20:
                    frame, frames = struct.unpack_from("<I12xI", data)
                    told.seconds = frame * frames / 1e6
            elif box.name[:1] == b"I" and box.end - box.start < _MOST_BYTES:
                told.tags.append((box.name.decode("latin-1"), _text(_contents(file, box))))
    return told


def _riff_leaves(file: BinaryIO, at: int, end: int, depth: int = 0) -> Iterator[_Box]:
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(12)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:8], "little")
        box = _Box(head[:4], at + 8, min(at + 8 + size, end))
        if box.name == b"LIST" and head[8:12] in (b"hdrl", b"INFO") and depth < 3:
            yield from _riff_leaves(file, box.start + 4, box.end, depth + 1)
        elif box.name != b"LIST":
            yield box
        at += 8 + size + size % 2
