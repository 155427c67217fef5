"""Points in the process: Qdrant's own engine on a folder, by `qdrant-edge-py`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import numpy as np

from engine.contract.errors import InklingError, StoreBusyError
from engine.served.extra import needing
from engine.served.points import (
    AnyOfValues,
    Between,
    Demand,
    Filter,
    Found,
    HoldsTerms,
    HoldsText,
    IsPoint,
    Point,
    Points,
    Present,
    Shape,
    Vector,
)

with needing("qdrant-edge-py"):
    import qdrant_edge as q

#: Points written before segments are put in order again.
UNTENDED = 20_000
_SEGMENTS = 2
_PAGE = 1_000  # points read at once
#: Of a flat scan of codes so many times as many as asked for are compared by their vectors.
#: 100,000 passages of 512 dimensions, half a bit to eight a dimension: two bits and 8 times find
#: all of the best hundred, in 2.3 ms (int8 and twice: 3.9).
OVERSAMPLING = 8.0


class EdgePoints(Points):
    """A collection in a folder; one process at a time has it open."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self._folder = folder
        self._untended = 0
        self._tending = threading.Lock()
        with _told():
            if (folder / "edge_config.json").exists():
                self._shard = q.EdgeShard.load(str(folder))
                return
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._shard = q.EdgeShard.create(str(folder), _config(shape))
            for name, kind in _indexes(shape):
                self._shard.update(q.UpdateOperation.create_field_index(name, kind))

    def upsert(self, points: Sequence[Point]) -> None:
        made = [q.Point(p.id, _vectors(p.vectors), dict(p.payload)) for p in points]
        self._update(q.UpdateOperation.upsert_points(made))
        self._untended += len(made)

    def delete(self, where: Filter) -> None:
        self._update(q.UpdateOperation.delete_points_by_filter(_filter(where)))

    def assign(self, where: Filter, payload: Mapping[str, Any]) -> None:
        self._update(q.UpdateOperation.set_payload_by_filter(_filter(where), dict(payload)))

    def _update(self, operation: Any) -> None:
        with _told():
            self._shard.update(operation)

    def nearest(
        self, name: str, vector: Vector, where: Filter, limit: int, fields: Sequence[str] = ()
    ) -> list[Found]:
        codes = q.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        asked = q.QueryRequest(
            limit=limit,
            query=q.Query.Nearest(_vector(vector), using=name),
            filter=_filter(where),
            with_payload=list(fields) or False,
            params=None if isinstance(vector, Mapping) else q.SearchParams(quantization=codes),
        )
        with _told():
            return [
                Found(UUID(str(p.id)), p.payload or {}, p.score) for p in self._shard.query(asked)
            ]

    def fetch(
        self, ids: Sequence[UUID], fields: Sequence[str] | None, vectors: Sequence[str] = ()
    ) -> list[Found]:
        with _told():
            found = self._shard.retrieve(list(ids), _fields(fields), list(vectors) or False)
        return [_found(record, vectors) for record in found]

    def scroll(
        self, where: Filter, fields: Sequence[str] | None, most: int | None = None
    ) -> Iterator[Found]:
        offset, asked, left = None, _filter(where), most
        while left is None or left > 0:
            page = _PAGE if left is None else min(left, _PAGE)
            request = q.ScrollRequest(offset, page, asked, _fields(fields), False)
            with _told():
                records, offset = self._shard.scroll(request)
            yield from (_found(record, ()) for record in records)
            if offset is None:
                return
            left = None if left is None else left - len(records)

    def count(self, where: Filter) -> int:
        with _told():
            return int(self._shard.count(q.CountRequest(True, _filter(where))))

    def values(self, key: str, where: Filter, most: int) -> dict[str | int, int]:
        with _told():
            told = self._shard.facet(q.FacetRequest(key, most, True, _filter(where)))
        return {_plain(hit.value): int(hit.count) for hit in told.hits}

    def flush(self) -> None:
        with _told():
            self._shard.flush()

    def tend(self) -> None:
        if self._untended >= UNTENDED:
            with self._tending, _told():
                self._untended = 0
                self._shard.optimize()

    def close(self) -> None:
        with _told():
            self._shard.close()


def _config(shape: Shape) -> Any:
    memory, half = q.Memory.Pinned, q.VectorStorageDatatype.Float16
    codes = q.TurboQuantQuantizationConfig(bits=q.TurboQuantBitSize.Bits2, memory=memory)
    # No graph (m = 0): each vector's code is compared. A graph's answer depends on what else there
    # is, and a view must not; it pays from some millions of units on.
    none = q.HnswIndexConfig(0, 100, 10_000)
    dense = {
        name: q.EdgeVectorParams(
            size,
            q.Distance.Cosine,
            datatype=half,
            quantization_config=codes if name in shape.searched else None,
            hnsw_config=none,
        )
        for name, size in shape.dense.items()
    }
    # The engine wants a vector's name of every collection, also of one that has payload alone.
    sparse = {name: q.EdgeSparseVectorParams() for name in shape.sparse or {"none"}}
    order = q.EdgeOptimizersConfig(default_segment_number=_SEGMENTS, indexing_threshold=10_000)
    return q.EdgeConfig(vectors=dense or None, sparse_vectors=sparse, optimizers=order)


def _indexes(shape: Shape) -> list[tuple[str, Any]]:
    whole = q.TextIndexParams(tokenizer=q.TokenizerType.Whitespace, lowercase=False)
    return [
        *((name, q.KeywordIndexParams(prefix=True)) for name in sorted(shape.keywords)),
        *((name, q.PayloadSchemaType.Integer) for name in sorted(shape.integers)),
        *((name, q.PayloadSchemaType.Float) for name in sorted(shape.floats)),
        *((name, whole) for name in sorted(shape.texts)),
    ]


def _vector(vector: Vector) -> Any:
    if isinstance(vector, Mapping):
        return q.SparseVector(list(vector), list(vector.values()))
    return vector.tolist()


def _vectors(vectors: Mapping[str, Vector]) -> dict[str, Any]:
    return {name: _vector(vector) for name, vector in vectors.items()}


def _fields(fields: Sequence[str] | None) -> bool | list[str]:
    return True if fields is None else list(fields) or False


def _found(record: Any, vectors: Sequence[str]) -> Found:
    told = record.vector or {}
    made = {name: np.array(told[name], np.float32) for name in vectors if name in told}
    return Found(UUID(str(record.id)), record.payload or {}, vectors=made)


def _plain(value: Any) -> str | int:
    inner = getattr(value, "value", value)
    return inner if isinstance(inner, str | int) else str(inner)


def _filter(where: Filter) -> Any:
    if not (where.must or where.should or where.must_not):
        return None
    parts = (where.must, where.should, where.must_not)
    must, should, must_not = ([_demand(d) for d in part] or None for part in parts)
    return q.Filter(must, should, must_not)


def _demand(demand: Demand) -> Any:
    match demand:
        case Filter():
            return _filter(demand) or q.Filter()
        case AnyOfValues(key, values):
            return q.FieldCondition(key, match=q.MatchAny(cast("list[str]", list(values))))
        case HoldsTerms(key, terms):
            return q.FieldCondition(key, match=q.MatchText(" ".join(terms)))
        case HoldsText(key, text, begins):
            match = q.MatchPrefix(text) if begins else q.MatchSubstring(text)
            return q.FieldCondition(key, match=match)
        case Between(key, gte, gt, lte, lt):
            return q.FieldCondition(key, range=q.RangeFloat(gte, gt, lte, lt))
        case Present(key):
            return q.Filter(must_not=[q.IsEmptyCondition(key)])
        case IsPoint(ids):
            return q.HasIdCondition(set(ids))


@contextmanager
def _told() -> Iterator[None]:
    """The engine's failures as ours: it raises plain exceptions that say what they are in words."""
    try:
        yield
    except InklingError:
        raise
    except Exception as error:
        said = str(error)
        if "WouldBlock" in said:
            raise StoreBusyError(
                "The team's index is open in another process.",
                hint="One service has a folder open at a time: end the other, or use a server.",
            ) from error
        raise InklingError(
            "The team's index can't go on: {error}.",
            hint="It can be made anew from the archive: remove its folder and start again.",
            told={"error": said},
        ) from error
