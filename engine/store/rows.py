"""Rows of the units table: the schema, and the way from units to Arrow and back."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.contract.attributes import ATTRIBUTES
from engine.contract.conditions import folder_key
from engine.contract.path_text import clean, path_to_text, text_to_path
from engine.contract.types import FileFacts, Kind, Unit
from engine.store.schema import fts, schema
from engine.store.segments import TokenRecord, TokenRef


@dataclass(frozen=True, slots=True, eq=False)
class StoredUnit:
    """A unit with what the encoder made of it."""

    unit: Unit
    file: FileFacts
    vector: NDArray[np.float32] | None  # [d] unit length
    tokens: TokenRecord | None
    note: str = ""  # how exactly its picture was seen; not kept in the store


class Candidate(NamedTuple):
    """A unit that a lane proposes; the score is the lane's own (cosine, or BM25)."""

    unit_id: str
    file_id: int
    score: float


@dataclass(frozen=True, slots=True)
class Row:
    """What the store knows of a unit, vectors aside."""

    unit_id: str
    file: FileFacts
    kind: Kind
    text: str
    context: str
    page: int | None
    lines: tuple[int, int] | None
    symbol: str | None
    language: str | None
    ref: TokenRef | None

    @property
    def file_id(self) -> int:
        return self.file.file_id


_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[Any])

_RAW = -15  # deflate without header and checksum

ROW_COLUMNS = [
    "id", "file_id", "path", "kind", "picture", "ext", "mtime", "size", "text", "context", "page",
    "line_from", "line_to", "symbol", "language", "segment", "offset", "length", "file_kind",
    *ATTRIBUTES,
]  # fmt: skip


def to_arrow(units: Sequence[StoredUnit], refs: Sequence[TokenRef | None], dim: int) -> pa.Table:
    """Units and the places of their tokens as rows."""
    rows = [fields_of(stored, ref) for stored, ref in zip(units, refs, strict=True)]
    columns = schema(dim)
    vectors = {
        "vector": vector_array([stored.vector for stored in units], dim),
        "document": vector_array(document_vectors(units), dim),
    }
    arrays = [
        vectors[field.name]
        if field.name in vectors
        else pa.array([row[field.name] for row in rows], field.type)
        for field in columns
    ]
    return pa.Table.from_arrays(arrays, schema=columns)


def document_vectors(units: Sequence[StoredUnit]) -> list[NDArray[np.float32] | None]:
    """For each unit the normalised sum of its file's vectors; None where the unit has none."""
    sums: dict[int, NDArray[np.float32]] = {}
    for stored in units:
        if stored.vector is not None:
            file_id = stored.file.file_id
            sums[file_id] = sums.get(file_id, np.float32(0)) + stored.vector
    whole = {i: total / max(float(np.linalg.norm(total)), 1e-9) for i, total in sums.items()}
    return [None if s.vector is None else whole[s.file.file_id] for s in units]


def fields_of(stored: StoredUnit, ref: TokenRef | None) -> dict[str, Any]:
    """A unit's columns, vectors aside."""
    fields = unit_fields(stored)
    return {
        **fields,
        "segment": ref and ref.segment,
        "offset": ref and ref.offset,
        "length": ref and ref.length,
        "fts": fts(fields["context"], fields["text"], stored.file.path),
    }


def unit_fields(stored: StoredUnit) -> dict[str, Any]:
    """The columns that are a unit's own and its file's, as it was given."""
    unit = stored.unit
    lines = unit.lines or (None, None)
    return {
        "id": unit.unit_id,
        "kind": unit.kind,
        "language": unit.language and clean(unit.language).lower(),
        "page": unit.page,
        "line_from": lines[0],
        "line_to": lines[1],
        "symbol": unit.symbol and clean(unit.symbol),
        "text": clean(unit.text),
        "context": clean(unit.context),
        **file_fields(stored.file),
    }


def file_fields(file: FileFacts) -> dict[str, Any]:
    """The columns that repeat a file's facts."""
    return {
        "file_id": file.file_id,
        "path": path_to_text(file.path),
        "folder": folder_key(os.path.dirname(file.path)),
        "file_kind": file.kind,
        "picture": file.picture,
        "ext": clean(file.ext),
        "mtime": float(file.mtime),
        "size": int(file.size),
        **{name: file.attributes.get(name) for name in ATTRIBUTES},
    }


def vector_array(vectors: Sequence[NDArray[np.float32] | None], dim: int) -> pa.Array:
    """Vectors as a column has them; None is null."""
    flat = np.zeros((len(vectors), dim), dtype=np.float16)
    absent = np.array([vector is None for vector in vectors], dtype=np.bool_)
    for i, vector in enumerate(vectors):
        if vector is not None:
            flat[i] = vector
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), dim, mask=pa.array(absent))


def from_arrow(table: pa.Table) -> list[Row]:
    """Rows of `ROW_COLUMNS`."""
    return [row_of(fields) for fields in table.to_pylist()]


def packed_rows(table: pa.Table) -> list[bytes]:
    """Each row's `ROW_COLUMNS`, deflated: six tenths of what its texts have, and 5 µs to read."""
    columns = [table[name].to_pylist() for name in ROW_COLUMNS]
    packed = (_ENCODER.encode(values) for values in zip(*columns, strict=True))
    return [zlib.compress(data, wbits=_RAW) for data in packed]


def unpacked_row(data: bytes) -> Row:
    """The row of which `packed_rows` made this; ValueError if it did not."""
    try:
        values = _DECODER.decode(zlib.decompress(data, _RAW))
    except zlib.error as error:
        raise ValueError("a row can't be unpacked") from error
    return row_of(dict(zip(ROW_COLUMNS, values, strict=True)))


def row_of(f: Mapping[str, Any]) -> Row:
    """The row of `ROW_COLUMNS`."""
    file = FileFacts(
        f["file_id"], text_to_path(f["path"]), f["file_kind"], f["picture"], f["ext"],
        f["mtime"], f["size"], {name: f[name] for name in ATTRIBUTES if f[name] is not None},
    )  # fmt: skip
    lines = None if f["line_from"] is None else (f["line_from"], f["line_to"])
    ref = None if f["segment"] is None else TokenRef(f["segment"], f["offset"], f["length"])
    return Row(
        f["id"], file, f["kind"], f["text"], f["context"], f["page"], lines, f["symbol"],
        f["language"], ref,
    )  # fmt: skip


def vector_matrix(column: pa.ChunkedArray, dim: int) -> NDArray[np.float32]:
    """[n, d] float32 of a vector column; null rows are NaN."""
    array = column.combine_chunks()
    flat = np.asarray(array.values.to_numpy(zero_copy_only=False), dtype=np.float32)
    matrix = flat[array.offset * dim : (array.offset + len(array)) * dim].reshape(-1, dim).copy()
    matrix[np.asarray(array.is_null())] = np.nan
    return matrix


def reference_matrix(rows: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token references [n, 3] and file ids [n] of rows that have a reference."""
    columns = [rows[name].to_numpy().astype(np.int64) for name in ("segment", "offset", "length")]
    return np.stack(columns, axis=1), rows["file_id"].to_numpy()


#: What a unit's context becomes when its file moves: (context, old path, new path) -> context.
Reword = Callable[[str, str, str], str]


def same_context(context: str, _old: str, _new: str) -> str:
    """It stays."""
    return context


def moved(rows: pa.Table, files: Mapping[int, FileFacts], reword: Reword) -> pa.Table:
    """Whole rows with their files' new facts."""
    facts = [files[file_id] for file_id in rows["file_id"].to_pylist()]
    fields = [file_fields(file) for file in facts]
    changed: dict[str, list[Any]] = {name: [f[name] for f in fields] for name in fields[0]}
    before = zip(rows["context"].to_pylist(), rows["path"].to_pylist(), facts, strict=True)
    contexts = [clean(reword(words, text_to_path(old), file.path)) for words, old, file in before]
    changed["context"] = contexts
    changed["fts"] = [
        fts(context, text, file.path)
        for context, text, file in zip(contexts, rows["text"].to_pylist(), facts, strict=True)
    ]
    for name, values in changed.items():
        at = rows.schema.get_field_index(name)
        field = rows.schema.field(at)
        rows = rows.set_column(at, field, pa.array(values, field.type))
    return rows


def sql_ids(ids: Iterable[int]) -> str:
    """A list of numbers for IN."""
    return ", ".join(str(int(i)) for i in ids)
