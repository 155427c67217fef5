"""A unit as a point: what filters ask as payload, and the way back to a row."""

from __future__ import annotations

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.contract.attributes import ATTRIBUTES
from engine.contract.errors import InklingError
from engine.contract.folding import plain
from engine.contract.path_text import path_to_text
from engine.served.points import Point, Shape, point_id
from engine.store.array_bm25 import K1, B
from engine.store.rows import ROW_COLUMNS, Row, StoredUnit, document_vectors, fields_of, row_of
from engine.store.segments import StoredTokens, TokenRef
from engine.store.token_record import LOST, pack_record, unpack_record

#: Names of vectors.
DENSE, DOCUMENT, TERMS = "dense", "document", "terms"
#: What a passage's length is held against in sparse vectors: a number of its own, so that what a
#: unit weighs there does not depend on the others. `engine.served.words` scores by the true one.
AVERAGE = 100.0
#: Fields that make a row, and which class of rights it is of.
ROW_FIELDS = tuple(dict.fromkeys([*ROW_COLUMNS, "rights"]))
_NUMBERS = frozenset(row.name for row in ATTRIBUTES.values() if row.type != "text")


def shape_of_units(dim: int) -> Shape:
    """What the collection of units is made for."""
    return Shape(
        dense={DENSE: dim, DOCUMENT: dim},
        searched=frozenset({DENSE}),
        sparse=frozenset({TERMS}),
        keywords=frozenset(
            {"kind", "picture", "ext", "language", "folder", "directory", "name", "plain"}
            | (ATTRIBUTES.keys() - _NUMBERS)
        ),
        integers=frozenset({"file_id", "rights", "size"}),
        floats=frozenset({"date"} | _NUMBERS),
        texts=frozenset({"fts"}),
    )


#: Token records lie in a collection of their own: a payload is read whole, and a record is four
#: times as large as all else of a unit.
RECORDS = Shape(integers=frozenset({"file_id", "rights"}))


def term_index(term: str) -> int:
    """A term's place in sparse vectors. Of a million terms some hundred pairs share one: then a
    unit weighs too much there and is looked at for nothing, scores are counted by the terms
    themselves."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest(), "little")


def weights_of(terms: str) -> dict[int, float]:
    """What a unit with these terms, set in spaces, weighs at each: BM25 without rarity."""
    held = terms.split()
    norm = K1 * (1 - B + B * len(held) / AVERAGE)
    weights: dict[int, float] = {}
    for term, times in Counter(held).items():
        place = term_index(term)
        weights[place] = weights.get(place, 0.0) + times * (K1 + 1) / (times + norm)
    return weights


def points_of(
    units: Sequence[StoredUnit], rights: Mapping[int, int]
) -> tuple[list[Point], list[Point]]:
    """Whole files' units as points, and the records of their tokens."""
    points, records = [], []
    for stored, whole in zip(units, document_vectors(units), strict=True):
        unit, chosen = stored.unit, rights[stored.unit.file_id]
        where = point_id(unit.unit_id)
        ref = None
        if stored.tokens is not None:
            data = pack_record(stored.tokens)
            ref = TokenRef(unit.file_id, unit.ordinal, len(data))
            kept: dict[str, Any] = {"file_id": unit.file_id, "rights": chosen}
            kept["record"] = base64.b64encode(data).decode()
            records.append(Point(where, kept))
        fields = fields_of(stored, ref)
        path = path_to_text(stored.file.path)
        name = path.rpartition(os.sep)[2]
        taken = fields.get("taken")
        fields |= {
            "rights": chosen,
            "date": fields["mtime"] if taken is None else taken,
            "directory": path[: len(path) - len(name)],
            "name": name,
            "plain": f"/{plain(name)}/",
        }
        payload = {key: value for key, value in fields.items() if value is not None}
        vectors: dict[str, Any] = {}
        for column, vector in ((DENSE, stored.vector), (DOCUMENT, whole)):
            if vector is not None and np.isfinite(vector).all() and vector.any():
                vectors[column] = np.asarray(vector, np.float32)
        if weights := weights_of(fields["fts"]):
            vectors[TERMS] = weights
        points.append(Point(where, payload, vectors))
    return points, records


def row_from(payload: Mapping[str, Any]) -> Row:
    """The row of a unit's payload."""
    fields = {name: payload.get(name) for name in ROW_COLUMNS}
    for name in _NUMBERS | {"mtime"}:
        if (value := fields[name]) is not None:
            fields[name] = float(value)
    return row_of(fields)


def record_from(payload: Mapping[str, Any] | None) -> StoredTokens:
    """A unit's tokens; none where they are lost."""
    try:
        return LOST if payload is None else unpack_record(base64.b64decode(payload["record"]))
    except (ValueError, KeyError):
        return LOST


def checked(units: Sequence[StoredUnit], rights: Mapping[int, int]) -> None:
    """InklingError where two units have one id, or a file no rights."""
    if len({stored.unit.unit_id for stored in units}) != len(units):
        raise InklingError("Two units of a file have one number: nothing was stored.")
    if any(stored.unit.file_id not in rights for stored in units):
        raise InklingError("A file came without its rights: nothing was stored.")
