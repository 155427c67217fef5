"""What the arrays keep of each unit beside its vector, and how that is taken from the table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.contract.kinds import KINDS, file_kinds
from engine.contract.path_text import clean
from engine.contract.types import Filters
from engine.store.rows import ROW_COLUMNS, packed_rows
from engine.store.where import Demands

#: Columns of the units table that the arrays are made of.
COLUMNS = [*ROW_COLUMNS, "fts", "vector", "document"]
#: One unit. Texts are numbers of `Names`; `document` is a row of the documents, NONE, or ITSELF
#: where it is the unit's own vector, since its file has no other; `at` and `length` are where its
#: record lies (bytes), `terms_at` and `terms_length` where its terms do, of which it has `words`.
ROW = np.dtype(
    [
        ("file", "<i8"), ("size", "<i8"), ("date", "<f8"), ("at", "<i8"), ("terms_at", "<i8"),
        ("ordinal", "<i4"), ("terms_length", "<u4"), ("words", "<u4"),
        ("document", "<i4"), ("kind", "<u4"), ("picture", "<u4"), ("ext", "<u4"),
        ("language", "<u4"), ("length", "<u4"), ("vector", "<u4"),
    ]
)  # fmt: skip
NONE, ITSELF = -1, -2


class Names:
    """Texts that repeat, by number; 0 is no text. Only ever grows."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, texts: Iterable[str]) -> None:
        """Give numbers to those that have none yet, in this order."""
        for text in texts:
            self._numbers.setdefault(text, len(self._numbers) + 1)

    def since(self, count: int) -> list[str]:
        """Those that came after the first `count`."""
        return list(self._numbers)[count:]

    def numbers(self, column: pa.ChunkedArray) -> NDArray[np.uint32]:
        """[n] of a column of texts."""
        encoded = column.combine_chunks().dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        self.add(texts)
        table = np.array([*(self._numbers[text] for text in texts), 0], np.uint32)
        places = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
        return np.asarray(table[places], np.uint32)

    def among(self, column: NDArray[np.uint32], texts: Iterable[str]) -> NDArray[np.bool_]:
        """[n]: whether a text's number is that of one of these, spelt as filters spell them."""
        asked = np.zeros(len(self._numbers) + 1, np.bool_)
        spelt = (clean(text).replace("\x00", "") for text in texts)
        asked[[self._numbers[text] for text in spelt if text in self._numbers]] = True
        return asked[column]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Units that are stored together, n of them in m files."""

    rows: NDArray[np.void]  # [n] of ROW
    vectors: NDArray[np.float16]  # [n, d]; zeros where a unit has none
    documents: NDArray[np.float16]  # [m, d]
    records: bytes  # whole rows, one after another
    terms: bytes  # texts of terms set in spaces, one after another

    def texts(self) -> list[str]:
        """The terms of each unit, set in spaces."""
        ends = np.cumsum(self.rows["terms_length"], dtype=np.int64).tolist()
        starts = [0, *ends]
        return [self.terms[a:b].decode() for a, b in zip(starts, ends, strict=False)]


class Ends(NamedTuple):
    """Where new documents, records and terms come to lie."""

    documents: int = 0
    records: int = 0  # bytes
    terms: int = 0  # bytes


def block_of(
    table: pa.Table, dim: int, names: Names, documents: dict[int, int], ends: Ends
) -> Block:
    """Units of `COLUMNS` as a block.

    `documents`: of each file the row of its document; new ones are added. How many words
    a unit has is left open. ValueError if its id is not made of its file's number and its own.
    """
    rows = np.zeros(table.num_rows, ROW)
    rows["file"] = table["file_id"].to_numpy()
    rows["ordinal"] = _ordinals(table["id"].to_pylist(), rows["file"].tolist())
    date = pc.coalesce(table["taken"], table["mtime"])  # as engine.store.where says it
    rows["date"], rows["size"] = date.to_numpy(), table["size"].to_numpy()
    for name in ("kind", "picture", "ext", "language"):
        rows[name] = names.numbers(table[name])
    vectors, there = half_matrix(table["vector"], dim)
    rows["vector"] = there
    whole, known = half_matrix(table["document"], dim)
    fresh: list[int] = []
    rows["document"] = NONE
    own = known & there & (whole == vectors).all(axis=1)
    rows["document"][own] = ITSELF
    for i in np.flatnonzero(known & ~own).tolist():
        file = int(rows["file"][i])
        if file not in documents:
            documents[file] = ends.documents + len(fresh)
            fresh.append(i)
        rows["document"][i] = documents[file]
    records = packed_rows(table)
    terms = [(text or "").encode() for text in table["fts"].to_pylist()]
    for at, length, parts, end in (
        ("at", "length", records, ends.records),
        ("terms_at", "terms_length", terms, ends.terms),
    ):
        rows[length] = [len(part) for part in parts]
        rows[at] = end + np.cumsum(rows[length], dtype=np.int64) - rows[length]
    return Block(rows, vectors, whole[fresh], b"".join(records), b"".join(terms))


def half_matrix(column: pa.ChunkedArray, dim: int) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
    """[n, d] of a vector column, and which of them are vectors: LanceDB has none for what is not
    a number."""
    array = column.combine_chunks()
    flat = array.values.to_numpy(zero_copy_only=False)
    matrix = flat[array.offset * dim : (array.offset + len(array)) * dim].reshape(-1, dim)
    there = np.asarray(array.is_valid()) & ~np.isnan(matrix).any(axis=1)
    return np.where(there[:, None], matrix, np.float16(0)), there


def _ordinals(ids: Sequence[str], files: Sequence[int]) -> list[int]:
    ordinals = [int(unit_id.rpartition(":")[2]) for unit_id in ids]
    for unit_id, file, ordinal in zip(ids, files, ordinals, strict=True):
        if unit_id != f"{file}:{ordinal}":
            raise ValueError(f"an id that is no file's and unit's number: {unit_id}")
    return ordinals


def fulfilling(rows: NDArray[np.void], demands: Demands, names: Names) -> NDArray[np.bool_]:
    """[n]: which units fulfil demands; the same that their SQL keeps."""
    kept = _allowed(rows, demands.filters, names)
    if demands.kinds:
        kept &= names.among(rows["kind"], demands.kinds)
    return kept


def _allowed(rows: NDArray[np.void], f: Filters, names: Names) -> NDArray[np.bool_]:
    kept = np.ones(len(rows), np.bool_)
    for column, wanted, unwanted in (
        ("ext", f.exts, f.not_exts),
        ("language", f.languages, f.not_languages),
    ):
        if wanted:
            kept &= names.among(rows[column], wanted)
        if unwanted:
            kept &= ~names.among(rows[column], unwanted)
    if f.kinds:
        kept &= np.logical_or.reduce([_of_kind(rows, kind, names) for kind in f.kinds])
    for kind in f.not_kinds:
        kept &= ~_of_kind(rows, kind, names)
    kept &= _in_bounds(rows, f)
    for options in f.any_of:
        one = np.zeros(len(rows), np.bool_)
        for option in options:
            one |= _allowed(rows, option, names)
        kept &= one
    return kept


def _in_bounds(rows: NDArray[np.void], f: Filters) -> NDArray[np.bool_]:
    kept = np.ones(len(rows), np.bool_)
    if f.after is not None:
        kept &= rows["date"] >= f.after
    if f.before is not None:
        kept &= rows["date"] < f.before
    if f.min_size is not None:
        kept &= rows["size"] >= int(f.min_size)
    if f.max_size is not None:
        kept &= rows["size"] <= int(f.max_size)
    return kept


def _of_kind(rows: NDArray[np.void], kind: str, names: Names) -> NDArray[np.bool_]:
    row = KINDS.get(kind)
    if row is not None and row.is_kind:
        return names.among(rows["kind"], file_kinds(kind))
    return names.among(rows["picture"], [kind])
