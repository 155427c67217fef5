"""What passes between the pool and its workers: framed msgpack, checked on arrival."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, BinaryIO

import msgspec

from engine.contract import framing
from engine.contract.attributes import accepted
from engine.contract.types import Look, WordBox
from engine.encoders.image_onnx import look
from indexer.reading.extract.base import ExtractError, Extraction, OcrPage, Part

_WORD = struct.Struct("<2I4f")  # a long book has half a million of them
PackedPage = tuple[int, str, bytes, tuple[str, ...]]
#: More than any honest file gives; a worker that sends more is replaced.
MAX_FRAME = 64 * 1024 * 1024


def send(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    """Write one message."""
    framing.write(stream, message)


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None when the other side is gone or talks nonsense."""
    try:
        return framing.read(stream, MAX_FRAME)
    except ValueError:
        return None


def pack_extraction(extraction: Extraction) -> dict[str, Any]:
    """An Extraction as plain data."""
    data = {f.name: getattr(extraction, f.name) for f in fields(Extraction)}
    data["parts"] = [_pack_part(part) for part in extraction.parts]
    data["ocr_pages"] = pack_pages(extraction.ocr_pages)
    return data


def _pack_part(part: Part) -> dict[str, Any]:
    data = {f.name: getattr(part, f.name) for f in fields(Part)}
    data["words"] = _pack_words(part.words)
    return data


def pack_pages(pages: Sequence[OcrPage]) -> list[PackedPage]:
    """Pages as plain data."""
    return [(p.page, p.text, _pack_words(p.words), p.illegible) for p in pages]


def unpack_pages(data: object) -> list[OcrPage]:
    """The pages back; ExtractError where these are none."""
    try:
        rows = msgspec.convert(data, list[PackedPage])
        return [OcrPage(page, text, _unpack_words(words), bad) for page, text, words, bad in rows]
    except (msgspec.ValidationError, struct.error) as error:
        raise ExtractError("crashed", "the worker's answer makes no sense") from error


def unpack_extraction(data: dict[str, Any]) -> Extraction:
    """The Extraction back from plain data; a worker taken over by its file may have made it up."""
    try:
        data = {**data, "parts": [dict(part) for part in data["parts"]]}
        words = [_unpack_words(part.pop("words")) for part in data["parts"]]
        pages = unpack_pages(data.pop("ocr_pages"))
        extraction = msgspec.convert(data, Extraction)
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ExtractError("crashed", "the worker's answer makes no sense") from error
    for part, boxes in zip(extraction.parts, words, strict=True):
        part.words = boxes
        for name in (part.image, part.thumb):
            # A file of the scratch folder, never one elsewhere.
            if name is not None and (name != os.path.basename(name) or name in ("", ".", "..")):
                raise ExtractError("crashed", "the worker's answer names a file elsewhere")
    extraction.ocr_pages = pages
    extraction.attributes = {**accepted(extraction.attributes)}
    if extraction.look is not None:
        unpack_look(extraction.look)
    return extraction


def unpack_look(data: object) -> Look:
    """How a picture looks; ExtractError where that is no look."""
    try:
        return look.unpacked(data)
    except ValueError as error:
        raise ExtractError("crashed", "the worker's answer makes no sense") from error


def _pack_words(words: Sequence[WordBox]) -> bytes:
    return b"".join(_WORD.pack(word.start, word.end, *word.box) for word in words)


def _unpack_words(data: bytes) -> list[WordBox]:
    return [WordBox(w[0], w[1], w[2:]) for w in _WORD.iter_unpack(data)]
