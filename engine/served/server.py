"""Points on a Qdrant server, through the official `qdrant-client`.

No server runs where this is developed: the mapping is tested against the client's local mode, which
follows the server's meaning of filters but for the tokens of texts (there words without signs, of a
server what stands between blanks), and failures against a loopback server that gives them. Needs a
server of 1.16 or later for parts of names and folders (`match: {prefix, substring}`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    parts,
)

with needing("qdrant-client"):
    from qdrant_client import QdrantClient, models
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

TIMEOUT_S = 30
_PAGE = 1_000  # points read at once
_WRITTEN = 200  # points written at once: a request of some megabytes
_OVERSAMPLING = 4.0


def connected(
    url: str, archive_id: str, space: str, api_key: str | None, units: Shape, records: Shape
) -> tuple[ServerPoints, ServerPoints]:
    """The two collections of an archive's space on a server, made where they are missing."""
    client = QdrantClient(url=url, api_key=api_key, timeout=TIMEOUT_S, check_compatibility=False)
    name = f"inkling-{archive_id}-{space}".replace("/", "_").replace("@", "-")
    return ServerPoints(client, name, units), ServerPoints(client, f"{name}-records", records)


class ServerPoints(Points):
    """One collection of a client, whichever way that reaches it."""

    def __init__(self, client: QdrantClient, name: str, shape: Shape) -> None:
        self._client, self._name = client, name
        with _told():
            if not client.collection_exists(name):
                client.create_collection(
                    name,
                    vectors_config=_dense(shape),
                    sparse_vectors_config={n: models.SparseVectorParams() for n in shape.sparse},
                    hnsw_config=models.HnswConfigDiff(m=0),  # as in engine.served.edge
                    on_disk_payload=True,
                )
                for field, kind in _indexes(shape):
                    client.create_payload_index(name, field, kind, wait=True)

    def upsert(self, points: Sequence[Point]) -> None:
        for some in parts(points, _WRITTEN):
            made = [
                models.PointStruct(
                    id=str(p.id),
                    payload=dict(p.payload),
                    vector={name: _vector(vector) for name, vector in p.vectors.items()},
                )
                for p in some
            ]
            with _told():
                self._client.upsert(self._name, made, wait=True)

    def delete(self, where: Filter) -> None:
        chosen = models.FilterSelector(filter=_filter(where) or models.Filter())
        with _told():
            self._client.delete(self._name, chosen, wait=True)

    def assign(self, where: Filter, payload: Mapping[str, Any]) -> None:
        chosen = _filter(where) or models.Filter()
        with _told():
            self._client.set_payload(self._name, dict(payload), chosen, wait=True)

    def nearest(
        self, name: str, vector: Vector, where: Filter, limit: int, fields: Sequence[str] = ()
    ) -> list[Found]:
        codes = models.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING)
        dense = not isinstance(vector, Mapping)
        with _told():
            told = self._client.query_points(
                self._name,
                query=_vector(vector),
                using=name,
                query_filter=_filter(where),
                limit=limit,
                with_payload=_fields(fields),
                search_params=models.SearchParams(quantization=codes) if dense else None,
            )
        return [Found(UUID(str(p.id)), p.payload or {}, p.score) for p in told.points]

    def fetch(
        self, ids: Sequence[UUID], fields: Sequence[str] | None, vectors: Sequence[str] = ()
    ) -> list[Found]:
        found: list[Found] = []
        for some in parts(ids, _PAGE):
            with _told():
                records = self._client.retrieve(
                    self._name,
                    [str(i) for i in some],
                    with_payload=_fields(fields),
                    with_vectors=list(vectors) or False,
                )
            found += (_found(record, vectors) for record in records)
        return found

    def scroll(
        self, where: Filter, fields: Sequence[str] | None, most: int | None = None
    ) -> Iterator[Found]:
        offset, asked, left = None, _filter(where), most
        while left is None or left > 0:
            page = _PAGE if left is None else min(left, _PAGE)
            with _told():
                records, offset = self._client.scroll(
                    self._name, asked, limit=page, offset=offset, with_payload=_fields(fields)
                )
            yield from (_found(record, ()) for record in records)
            if offset is None:
                return
            left = None if left is None else left - len(records)

    def count(self, where: Filter) -> int:
        with _told():
            return int(self._client.count(self._name, _filter(where), exact=True).count)

    def values(self, key: str, where: Filter, most: int) -> dict[str | int, int]:
        with _told():
            told = self._client.facet(
                self._name, key, facet_filter=_filter(where), limit=max(most, 1), exact=True
            )
        return {hit.value: hit.count for hit in told.hits}

    def flush(self) -> None:
        """A server has on disk what it has confirmed."""

    def tend(self) -> None:
        """A server does that by itself."""

    def close(self) -> None:
        self._client.close()


def _dense(shape: Shape) -> dict[str, models.VectorParams]:
    codes = models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
    )
    return {
        name: models.VectorParams(
            size=size,
            distance=models.Distance.COSINE,
            datatype=models.Datatype.FLOAT16,
            on_disk=True,
            quantization_config=codes if name in shape.searched else None,
        )
        for name, size in shape.dense.items()
    }


def _indexes(shape: Shape) -> list[tuple[str, Any]]:
    whole = models.TextIndexParams(
        type=models.TextIndexType.TEXT,
        tokenizer=models.TokenizerType.WHITESPACE,
        lowercase=False,
    )
    kinds = models.PayloadSchemaType
    return [
        *((name, kinds.KEYWORD) for name in sorted(shape.keywords)),
        *((name, kinds.INTEGER) for name in sorted(shape.integers)),
        *((name, kinds.FLOAT) for name in sorted(shape.floats)),
        *((name, whole) for name in sorted(shape.texts)),
    ]


def _vector(vector: Vector) -> Any:
    if isinstance(vector, Mapping):
        return models.SparseVector(indices=list(vector), values=list(vector.values()))
    return vector.tolist()


def _fields(fields: Sequence[str] | None) -> bool | list[str]:
    return True if fields is None else list(fields) or False


def _found(record: Any, vectors: Sequence[str]) -> Found:
    told = record.vector if isinstance(record.vector, dict) else {}
    made = {name: np.array(told[name], np.float32) for name in vectors if name in told}
    return Found(UUID(str(record.id)), record.payload or {}, vectors=made)


def _filter(where: Filter) -> models.Filter | None:
    if not (where.must or where.should or where.must_not):
        return None
    sides = ([_demand(d) for d in side] or None for side in (where.must, where.should))
    must, should = sides
    must_not = [_demand(d) for d in where.must_not] or None
    return models.Filter(must=must, should=should, must_not=must_not)


def _demand(demand: Demand) -> Any:
    match demand:
        case Filter():
            return _filter(demand) or models.Filter()
        case AnyOfValues(key, values):
            return models.FieldCondition(
                key=key, match=models.MatchAny(any=cast("list[str]", list(values)))
            )
        case HoldsTerms(key, terms):
            match = models.MatchText(text=" ".join(terms))
            return models.FieldCondition(key=key, match=match)
        case HoldsText(key, text, begins):
            part = (
                models.MatchPrefix(prefix=text) if begins else models.MatchSubstring(substring=text)
            )
            return models.FieldCondition(key=key, match=part)
        case Between(key, gte, gt, lte, lt):
            return models.FieldCondition(
                key=key, range=models.Range(gte=gte, gt=gt, lte=lte, lt=lt)
            )
        case Present(key):
            empty = models.IsEmptyCondition(is_empty=models.PayloadField(key=key))
            return models.Filter(must_not=[empty])
        case IsPoint(ids):
            return models.HasIdCondition(has_id=[str(i) for i in ids])


@contextmanager
def _told() -> Iterator[None]:
    """A server's failures as ours, each with what to do."""
    try:
        yield
    except InklingError:
        raise
    except UnexpectedResponse as error:
        if error.status_code in (401, 403):
            raise InklingError(
                "The Qdrant server did not accept the key.",
                hint="Give the service the server's key, and let it read and write.",
            ) from error
        if error.status_code in (429, 503, 507):
            raise StoreBusyError(
                "The Qdrant server is busy or full (it answered {status}).",
                hint="It is asked again; look at its memory and disk if that lasts.",
                told={"status": error.status_code},
            ) from error
        raise InklingError(
            "The Qdrant server answered {status}: {error}.",
            hint="Look at the server's log, and whether it is of a version that is new enough.",
            told={"status": error.status_code, "error": error.reason_phrase},
        ) from error
    except (ResponseHandlingException, OSError) as error:
        raise StoreBusyError(
            "The Qdrant server can't be reached, or did not answer in time.",
            hint="Check that it runs and that its address is right.",
        ) from error
    except ValueError as error:
        raise InklingError(
            "The Qdrant server can't do what was asked: {error}.",
            hint="Look at the server's log, and whether it is of a version that is new enough.",
            told={"error": error},
        ) from error
