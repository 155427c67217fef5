"""One vector space: a LanceDB table and its segment files, with one writer and many readers."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# One thread was faster than two on a busy machine, and the window must stay smooth.
os.environ.setdefault("LANCE_CPU_THREADS", "1")
os.environ.setdefault("LANCE_LOG", "error")

import lancedb
import pyarrow as pa
from lancedb.index import FTS, Bitmap, BTree, IvfSq
from lancedb.query import MatchQuery

from engine.segments import Segments, TokenRecord, TokenRef
from engine.store.rows import (
    ROW_COLUMNS,
    Candidate,
    Row,
    StoredUnit,
    file_fields,
    from_arrow,
    fts,
    schema,
    sql_ids,
    to_arrow,
    vector_matrix,
)
from engine.store.where import build_where, quote
from engine.types import FileFacts

VECTOR_INDEX_ROWS = 10_000
OPTIMIZE_COMMITS = 20


def _table_name(space: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", space)


def list_spaces(directory: Path) -> list[str]:
    """Names of the tables in a store."""
    return sorted(path.stem for path in directory.glob("*.lance"))


def drop_space(directory: Path, space: str) -> None:
    """Remove a space's table and segments."""
    import shutil

    for suffix in (".lance", ".segments"):
        shutil.rmtree(directory / (_table_name(space) + suffix), ignore_errors=True)


class Store:
    """Units of one vector space; open it with `Store.open`."""

    def __init__(self, table: Any, segments: Segments, dim: int, read_only: bool) -> None:
        self._table = table
        self._segments = segments
        self._dim = dim
        self._read_only = read_only
        self._write = threading.RLock()
        self._commits = 0

    @classmethod
    def open(cls, directory: Path, space: str, dim: int, *, read_only: bool = False) -> Store:
        """Open a space, or make it."""
        directory.mkdir(parents=True, exist_ok=True)
        session = lancedb.Session(
            index_cache_size_bytes=64 << 20, metadata_cache_size_bytes=32 << 20
        )
        db = lancedb.connect(directory, session=session, read_consistency_interval=timedelta(0))
        name = _table_name(space)
        fresh = not (directory / f"{name}.lance").exists()
        table = db.create_table(name, schema=schema(dim)) if fresh else db.open_table(name)
        if fresh:
            for column, config in _INDEXES.items():
                table.create_index(column, config=config)
        return cls(table, Segments(directory / f"{name}.segments"), dim, read_only)

    where = staticmethod(build_where)

    @property
    def version(self) -> int:
        """Number of the newest commit."""
        return int(self._table.version)

    def replace_files(self, files: Mapping[int, Sequence[StoredUnit]]) -> int:
        """Make these the files' only rows, in one commit; returns its version."""
        units = [stored for group in files.values() for stored in group]
        if not units:
            return self.delete_files(files)
        with self._write:
            records = [stored.tokens for stored in units if stored.tokens is not None]
            places = iter(self._segments.append(records))
            refs = [None if stored.tokens is None else next(places) for stored in units]
            self._merge(to_arrow(units, refs, self._dim), files)
            return self.version

    def _merge(self, rows: pa.Table, file_ids: Iterable[int]) -> None:
        merge = self._table.merge_insert("id").when_matched_update_all()
        merge = merge.when_not_matched_insert_all()
        merge = merge.when_not_matched_by_source_delete(f"file_id IN ({sql_ids(file_ids)})")
        merge.execute(rows, on_bad_vectors="null")
        self._commits += 1

    def delete_files(self, file_ids: Iterable[int]) -> int:
        """Remove the files' rows; returns the version."""
        ids = sql_ids(file_ids)
        with self._write:
            if ids:
                self._table.delete(f"file_id IN ({ids})")
                self._commits += 1
            return self.version

    def update_path(self, file_id: int, file: FileFacts) -> int:
        """Give a file's rows its new facts; nothing is encoded again."""
        with self._write:
            query = self._table.search().where(f"file_id = {int(file_id)}")
            rows = query.select(schema(self._dim).names).to_arrow()
            if not rows.num_rows:
                return self.version
            changed = file_fields(file)
            contexts, texts = rows["context"].to_pylist(), rows["text"].to_pylist()
            names = [fts(c, t, file.path) for c, t in zip(contexts, texts, strict=True)]
            for column, value in changed.items():
                rows = _with_column(rows, column, [value] * rows.num_rows)
            self._merge(_with_column(rows, "fts", names), [file_id])
            return self.version

    def file_ids(self) -> set[int]:
        """Files that have rows."""
        return set(self._scan(None, ["file_id"])["file_id"].to_pylist())

    def count(self) -> int:
        """Number of units."""
        return int(self._table.count_rows())

    def search_vector(
        self, vector: NDArray[np.float32], where: str | None, limit: int
    ) -> list[Candidate]:
        """Nearest units by cosine similarity, best first."""
        query = self._table.search(vector.astype(np.float32), vector_column_name="vector")
        query = query.distance_type("cosine").refine_factor(2).limit(limit)
        if where:
            query = query.where(where, prefilter=True)
        found = query.select(["id", "file_id", "_distance"]).to_arrow()
        scores = 1.0 - found["_distance"].to_numpy()
        return _candidates(found, scores.tolist())

    def search_text(self, terms: Sequence[str], where: str | None, limit: int) -> list[Candidate]:
        """Units that hold any of these terms, best BM25 first."""
        if not terms:
            return []
        match = MatchQuery(" ".join(terms), "fts")
        query = self._table.search(match, query_type="fts").limit(limit)
        if where:
            query = query.where(where, prefilter=True)
        found = query.select(["id", "file_id", "_score"]).to_arrow()
        return _candidates(found, found["_score"].to_pylist())

    def rows(self, unit_ids: Iterable[str]) -> dict[str, Row]:
        """Rows by unit id; what is not there is left out."""
        found = self._scan(_id_in(unit_ids), ROW_COLUMNS)
        return {row.unit_id: row for row in from_arrow(found)}

    def file_rows(self, file_id: int) -> list[Row]:
        """A file's units in order."""
        rows = from_arrow(self._scan(f"file_id = {int(file_id)}", ROW_COLUMNS))
        return sorted(rows, key=lambda row: int(row.unit_id.rpartition(":")[2]))

    def vectors(self, unit_ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors [d] by unit id; units without one are left out."""
        found = self._scan(_id_in(unit_ids), ["id", "vector"])
        matrix = vector_matrix(found["vector"], self._dim)
        pairs = zip(found["id"].to_pylist(), matrix, strict=True)
        return {unit_id: vector for unit_id, vector in pairs if not np.isnan(vector[0])}

    def tokens(self, refs: Sequence[TokenRef]) -> list[TokenRecord]:
        """Token records by reference."""
        return self._segments.read(refs)

    def _scan(self, where: str | None, columns: list[str]) -> pa.Table:
        query = self._table.search()
        if where is not None:
            query = query.where(where)
        return query.select(columns).to_arrow()

    def maintain(self, force: bool = False) -> None:
        """Keep queries fast and the disk small; called by the writer between commits."""
        with self._write:
            if not force and self._commits < OPTIMIZE_COMMITS:
                return
            indexes = {index.name for index in self._table.list_indices()}
            if self.count() >= VECTOR_INDEX_ROWS and "vector_idx" not in indexes:
                self._table.create_index("vector", config=IvfSq(distance_type="cosine"))
            self._table.optimize(cleanup_older_than=timedelta(minutes=10))
            self._commits = 0

    def size_bytes(self) -> int:
        """Bytes on disk, segments included."""
        root = Path(self._table.uri) if hasattr(self._table, "uri") else None
        rows = sum(p.stat().st_size for p in root.rglob("*") if p.is_file()) if root else 0
        return rows + self._segments.size_bytes()

    def close(self) -> None:
        """Let go of the files."""
        self._segments.close()


_INDEXES: dict[str, Any] = {
    "id": BTree(),
    "file_id": BTree(),
    "kind": Bitmap(),
    "ext": Bitmap(),
    "mtime": BTree(),
    "path": BTree(),
    "fts": FTS(
        base_tokenizer="whitespace",
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
        max_token_length=None,
    ),
}


def _id_in(unit_ids: Iterable[str]) -> str:
    listed = ", ".join(quote(unit_id) for unit_id in unit_ids)
    return f"id IN ({listed})" if listed else "false"


def _with_column(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    index = rows.schema.get_field_index(name)
    field = rows.schema.field(index)
    return rows.set_column(index, field, pa.array(values, field.type))


def _candidates(found: pa.Table, scores: list[float]) -> list[Candidate]:
    ids, files = found["id"].to_pylist(), found["file_id"].to_pylist()
    return [Candidate(*row) for row in zip(ids, files, scores, strict=True)]
