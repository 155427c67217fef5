"""What goes between an indexer and an encoder service: one frame each way
(engine.contract.framing), compressed by zstd.

Tokens travel as 16-bit fixed point, half the bytes: they are kept in eight. Of a million kept
numbers some thousand differ by the last bit (tests.benchmarks.encoder_service). Single vectors
travel whole.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from engine.contract import framing
from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding
from engine.encoders.elsewhere import Job, Made, Op
from engine.models.registry import ModelSpec

TYPE = "application/x-inkling-frame"
#: Bytes of a request on the way, and of what is in it; inputs of one.
MOST_BODY, MOST_FRAME = 32_000_000, 64_000_000
MOST_INPUTS = 256
#: What an answer may have beside its numbers, and tokens of a picture and of a prompt.
_BESIDE, _PICTURE_TOKENS, _PROMPT_TOKENS = 65_536, 20_000, 128
_MOST_SAID = 2_000  # characters of a sentence that another machine says
_SCALE = np.float32(32_767)


class AskedEncoding(Struct, forbid_unknown_fields=True):
    """A job, and the space whose vectors are wanted."""

    space: Annotated[str, Meta(max_length=300)]
    op: Op
    adapter: Adapter
    items: list[Any]
    urgent: bool = False

    def job(self) -> Job:
        """With its items as the worker takes them; ValueError where they are not."""
        if self.op == "queries":
            msgspec.convert(self.items, list[str])
        elif self.op == "texts":
            msgspec.convert(self.items, list[tuple[str, str]])
        elif self.op == "images":
            msgspec.convert(self.items, list[bytes])
        else:
            text, spans, _ = msgspec.convert(self.items, tuple[str, list[tuple[int, int]], str])
            if not all(0 <= start <= end <= len(text) for start, end in spans):
                raise ValueError("spans beyond their text")
        job = Job(self.op, self.adapter, self.items, self.urgent)
        if not 0 < job.results <= (MOST_INPUTS if self.op != "chunks" else 100_000):
            raise ValueError("too many inputs, or none")
        return job


def pack(message: Mapping[str, Any]) -> bytes:
    """A body."""
    import pyarrow as pa

    packed: bytes = pa.compress(framing.pack(message), codec="zstd", asbytes=True)
    return packed


def unpack(body: bytes, most: int = MOST_FRAME) -> dict[str, Any]:
    """The message of a body, whoever made that; ValueError where it is none, or too large."""
    import pyarrow as pa

    try:
        with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
            frame = stream.read(most + 1)
        message = framing.read(io.BytesIO(frame), most)
    except Exception as error:  # whatever else the bytes make of a decoder
        raise ValueError(f"no frame: {type(error).__name__}") from error
    if message is None:
        raise ValueError("half a frame")
    return message


def asked(job: Job, space: str) -> bytes:
    """The body of a request."""
    told = {"op": job.op, "adapter": job.adapter, "items": job.items, "urgent": job.urgent}
    return pack({"space": space, **told})


def read_asked(body: bytes) -> AskedEncoding:
    """What is asked; ValueError where it is nothing of the kind."""
    return msgspec.convert(unpack(body), AskedEncoding)


def answer(made: Made, space: str) -> bytes:
    """The body of an answer."""
    return pack(
        {
            "space": space,
            "encodings": [None if one is None else _told(one) for one in made.encodings],
            "failed": [[place, error.as_data()] for place, error in made.failed.items()],
            "fast": made.fast,
            "notes": list(made.notes),
        }
    )


def most_bytes(job: Job, spec: ModelSpec) -> int:
    """Of an honest answer: a token a character, and some for prompts."""
    match job.op:
        case "images":
            tokens = _PICTURE_TOKENS * job.results
        case "chunks":
            tokens = sum(end - start + _PROMPT_TOKENS for start, end in job.items[1])
        case "queries":
            tokens = sum(len(text) + _PROMPT_TOKENS for text in job.items)
        case "texts":
            tokens = sum(len(a) + len(b) + _PROMPT_TOKENS for a, b in job.items)
    each = 2 * spec.token_dim + 8 + 16  # with its places in text and picture
    return tokens * each + job.results * (4 * spec.dim + _BESIDE) + _BESIDE


def read_answer(body: bytes, most: int) -> tuple[str, Made]:
    """The space it is of, and what was made; ValueError where it is no answer."""
    try:
        message = unpack(body, most)
        notes = tuple(str(note)[:_MOST_SAID] for note in message["notes"][:10])
        made = Made(
            [None if one is None else _encoding(one) for one in message["encodings"]],
            {int(place): _error(error) for place, error in message["failed"]},
            bool(message["fast"]),
            notes,
        )
        return str(message["space"]), made
    except Exception as error:  # whatever another machine sends
        raise ValueError(f"no answer: {type(error).__name__}") from error


def _told(made: Encoding) -> dict[str, Any]:
    fixed = np.rint(np.clip(made.tokens, -1.0, 1.0) * _SCALE).astype(np.int16)
    return {
        "single": np.asarray(made.single, np.float32),
        "tokens": fixed,
        "spans": made.spans,
        "boxes": made.boxes,
        "note": made.note,
        "pieces": made.pieces,
    }


def _encoding(told: Mapping[str, Any]) -> Encoding:
    pieces = told["pieces"]
    if not isinstance(told["note"], str) or not isinstance(pieces, int | None):
        raise ValueError("no encoding")
    tokens = _array(told["tokens"], np.int16).astype(np.float32) / _SCALE
    return Encoding(
        single=_array(told["single"], np.float32),
        tokens=tokens,
        spans=None if told["spans"] is None else _array(told["spans"], np.int32),
        boxes=None if told["boxes"] is None else _array(told["boxes"], np.float32),
        note=told["note"],
        pieces=pieces,
    )


def _array(value: object, dtype: type[np.generic]) -> NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.dtype != dtype:
        raise ValueError("no numbers")
    return value


def _error(data: Mapping[str, Any]) -> InklingError:
    """What the model there said of an input, as whole sentences: no words of another machine are
    filled in here."""
    message, hint = data["message"], data.get("hint", "")
    if not isinstance(message, str) or not isinstance(hint, str):
        raise ValueError("no error")
    return InklingError(message[:_MOST_SAID], hint=hint[:_MOST_SAID])


#: Of a picture: what our own extractor writes, by its first bytes.
PICTURES: dict[bytes, Literal[".png", ".jpg"]] = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
}
