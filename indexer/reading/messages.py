"""Length-prefixed msgpack frames between the pool and its workers: data, never pickles."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, BinaryIO

import msgpack

from engine.contract.types import WordBox
from indexer.reading.extract.base import ExtractError, Extraction, Part

_LENGTH = struct.Struct("<I")
_WORD = struct.Struct("<2I4f")  # a long book has half a million of them
#: More than any honest file gives; a worker that sends more is replaced.
MAX_FRAME = 64 * 1024 * 1024


def send(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    """Write one message."""
    body = msgpack.packb(message, unicode_errors="surrogatepass")
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None when the other side is gone or talks nonsense."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    body = stream.read(length) if length <= MAX_FRAME else b""
    if len(body) < length:
        return None
    message = msgpack.unpackb(body, unicode_errors="surrogatepass")
    return message if isinstance(message, dict) else None


def pack_extraction(extraction: Extraction) -> dict[str, Any]:
    """An Extraction as plain data."""
    data = {f.name: getattr(extraction, f.name) for f in fields(Extraction)}
    data["parts"] = [_pack_part(part) for part in extraction.parts]
    return data


def _pack_part(part: Part) -> dict[str, Any]:
    data = {f.name: getattr(part, f.name) for f in fields(Part)}
    data["words"] = b"".join(_WORD.pack(word.start, word.end, *word.box) for word in part.words)
    return data


def unpack_extraction(data: dict[str, Any]) -> Extraction:
    """The Extraction back from plain data; a worker taken over by its file may have made it up."""
    try:
        parts = [_unpack_part(part) for part in data["parts"]]
        return Extraction(**{**data, "parts": parts})
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise ExtractError("crashed", "the worker's answer makes no sense") from error


def _unpack_part(data: dict[str, Any]) -> Part:
    words = [WordBox(w[0], w[1], w[2:]) for w in _WORD.iter_unpack(data["words"])]
    lines = tuple(data["lines"]) if data["lines"] else None
    for name in (data["image"], data["thumb"]):
        if name is not None and (name != os.path.basename(name) or name in ("", ".", "..")):
            raise ValueError(name)  # a file of the scratch folder, never one elsewhere
    return Part(**{**data, "heading": tuple(data["heading"]), "lines": lines, "words": words})
