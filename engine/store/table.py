"""One vector space: a LanceDB table and its segment files, with one writer and many readers."""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
from lancedb.query import FullTextOperator, MatchQuery
from numpy.typing import NDArray

from engine.contract.conditions import quote
from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.path_text import text_to_path
from engine.contract.types import FileFacts
from engine.store import memory
from engine.store.analyzer import analyze
from engine.store.durable import Durable
from engine.store.guard import REBUILD_HINT, open_table, reopened
from engine.store.indexes import Upkeep
from engine.store.rows import (
    ROW_COLUMNS,
    Candidate,
    Reword,
    Row,
    StoredUnit,
    TextMatch,
    from_arrow,
    moved,
    reference_matrix,
    same_context,
    schema,
    sql_ids,
    to_arrow,
    vector_matrix,
)
from engine.store.segments import Segments, TokenRecord, TokenRef
from engine.store.where import build_where

T = TypeVar("T")
MOST_LISTED = 2_000  # unit ids in one condition; 1,000 cost 7 ms at 100,000 units
MOVES_AT_ONCE = 1_000  # files whose rows are rewritten in one commit
_READ_ERRORS = (RuntimeError, OSError, pa.ArrowException)
_DAMAGE = re.compile(r"not appear to be a Lance file|corrupt|Not found|LanceError\((IO|Arrow)\)")


def table_name(space: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", space)


def list_spaces(directory: Path) -> list[str]:
    """Names of the tables in a store."""
    return sorted(path.stem for path in directory.glob("*.lance"))


def drop_space(directory: Path, space: str) -> None:
    """Remove a space's table and segments; close its Store first."""
    for suffix in (".lance", ".segments"):
        shutil.rmtree(directory / (table_name(space) + suffix), ignore_errors=True)


class Store:
    """Units of one vector space. Reads from any thread; writes and maintenance from one."""

    where = staticmethod(build_where)

    def __init__(
        self, table: Any, folder: Path, segments: Segments, dim: int, read_only: bool
    ) -> None:
        self._table = table
        self._folder = folder
        self._segments = segments
        self._dim = dim
        self._read_only = read_only
        self._closed = False
        self._write = threading.RLock()
        self._upkeep = Upkeep(table)
        self._durable = Durable(folder)
        #: Files with rows whose tokens are gone: to be indexed again.
        self.broken_files: frozenset[int] = self._find_broken()

    @classmethod
    def open(cls, directory: Path, space: str, dim: int, *, read_only: bool = False) -> Store:
        """Open a space, or make it.

        The newest commits are given up if they can't be read: compare `version` with what you
        remember and index later files again. StoreDamagedError if nothing can be read.
        """
        name = table_name(space)
        with _readable_errors():
            directory.mkdir(parents=True, exist_ok=True)
            table = open_table(directory, name, dim, read_only=read_only)
            segments = Segments(directory / f"{name}.segments", read_only=read_only)
        return cls(table, directory / f"{name}.lance", segments, dim, read_only)

    def _find_broken(self) -> frozenset[int]:
        refs, owners = self._references()
        broken = frozenset(owners[~self._segments.readable(refs)].tolist())
        if broken and not self._read_only:
            # No new record may come to lie where a lost one was.
            self._segments.seal(above=int(refs[:, 0].max()))
        return broken

    def _references(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Every row's token reference [n, 3], and its file [n]."""
        return reference_matrix(self._scan("segment IS NOT NULL", None, _REFERENCE_COLUMNS))

    @property
    def version(self) -> int:
        """Number of the newest commit; grows, except when a broken commit was given up."""
        return self._read(lambda: int(self._table.version))

    # Writing

    def replace_files(self, files: Mapping[int, Sequence[StoredUnit]]) -> int:
        """Make these the files' only rows, in one commit; returns its version.

        When this returns, rows and tokens are on disk and every search sees them.
        """
        units = [stored for group in files.values() for stored in group]
        _check_units(files, units)
        if not units:
            return self.delete_files(files)
        with self._writing():
            records = [stored.tokens for stored in units if stored.tokens is not None]
            places = iter(self._segments.append(records))  # on disk before a row refers to them
            refs = [None if stored.tokens is None else next(places) for stored in units]
            self._merge(to_arrow(units, refs, self._dim), files)
        return self.version

    def delete_files(self, file_ids: Iterable[int]) -> int:
        """Remove the files' rows; returns the version."""
        ids = sql_ids(file_ids)
        if ids:
            with self._writing():
                self._table.delete(f"file_id IN ({ids})")
        return self.version

    def update_paths(self, files: Mapping[int, FileFacts], reword: Reword = same_context) -> int:
        """Give files' rows new facts (they were renamed), in few commits; nothing is encoded again.

        `reword` renews the words that say where a unit is from, which full text finds.
        """
        ids = list(files)
        for start in range(0, len(ids), MOVES_AT_ONCE):
            some = ids[start : start + MOVES_AT_ONCE]
            rows = self._scan(f"file_id IN ({sql_ids(some)})", None, schema(self._dim).names)
            if rows.num_rows:
                with self._writing():
                    self._merge(moved(rows, files, reword), some)
        return self.version

    def _merge(self, rows: pa.Table, file_ids: Iterable[int]) -> None:
        merge = self._table.merge_insert("id").when_matched_update_all()
        merge = merge.when_not_matched_insert_all()
        merge = merge.when_not_matched_by_source_delete(f"file_id IN ({sql_ids(file_ids)})")
        merge.execute(rows, on_bad_vectors="null")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._write, _readable_errors():
            if self._closed or self._read_only:
                state = "closed" if self._closed else "open for reading only"
                raise InklingError(f"The search index is {state}; nothing was stored.")
            yield
            self._durable.sync()
            self._upkeep.committed()

    def maintain(self, force: bool = False) -> None:
        """Keep queries fast and the disk small; the writer calls it between commits and when idle.

        Returns at once if nothing is due. Force it at the start: it also removes what a crash left.
        """
        if self._read_only or self._closed or not (force or self._upkeep.due()):
            return
        with self._write, _readable_errors():
            rests = self._upkeep.rests
            self._upkeep.run(sweep=force)
            self._durable.sync()
            live, _ = self._references()
            self._segments.compact(live, force=force or rests)
            if rests:
                self._table = self._upkeep.table = reopened(self._folder)
                memory.release()

    # Reading

    def file_ids(self) -> set[int]:
        """Files that have rows."""
        return set(self._scan(None, None, ["file_id"])["file_id"].to_pylist())

    def places(self) -> dict[int, tuple[str, float]]:
        """Path and time of change of every file, as its rows have them."""
        found = self._scan(None, None, ["file_id", "path", "mtime"])
        columns = (found[name].to_pylist() for name in ("file_id", "path", "mtime"))
        return {i: (text_to_path(path), mtime) for i, path, mtime in zip(*columns, strict=True)}

    def count(self) -> int:
        """Number of units."""
        return self._read(lambda: int(self._table.count_rows()))

    def terms_at(self, offsets: Sequence[int]) -> list[str]:
        """The analysed terms, set in spaces, of the units at these positions of the table."""
        if not offsets:
            return []
        ask = self._table.take_offsets(list(offsets)).select(["fts"])
        return [text or "" for text in self._read(ask.to_arrow)["fts"].to_pylist()]

    def search_vector(
        self, vector: NDArray[np.float32], where: str | None, limit: int
    ) -> list[Candidate]:
        """Nearest units by cosine similarity, best first."""

        def ask() -> pa.Table:
            query = self._table.search(
                np.asarray(vector, dtype=np.float32), vector_column_name="vector"
            )
            # Without refinement an index's distances are on another scale than those of new rows.
            query = query.distance_type("cosine").refine_factor(2).limit(limit)
            query = query.where(where, prefilter=True) if where else query
            return query.select(["id", "file_id", "_distance"]).to_arrow()

        found = self._read(ask)
        return _candidates(found, (1.0 - found["_distance"].to_numpy()).tolist())

    def search_text(
        self, terms: Sequence[str], where: str | None, limit: int, *, every: bool = False
    ) -> list[Candidate]:
        """Units that hold any (or every) of these analyzer terms, best BM25 first."""
        if not terms:
            return []

        def ask() -> pa.Table:
            # A plain string with quotes would become a phrase query and fail.
            operator = FullTextOperator.AND if every else FullTextOperator.OR
            match = MatchQuery(" ".join(terms), "fts", operator=operator)
            query = self._table.search(match, query_type="fts").limit(limit)
            query = query.where(where, prefilter=True) if where else query
            return query.select(["id", "file_id", "_score"]).to_arrow()

        found = self._read(ask)
        return _candidates(found, found["_score"].to_pylist())

    def text_within(
        self, terms: Sequence[str], file_ids: Sequence[int], limit: int
    ) -> list[TextMatch]:
        """Units of these files that hold any of the analyzer terms, best BM25 first."""
        if not terms or not file_ids:
            return []

        def ask() -> pa.Table:
            query = self._table.search(MatchQuery(" ".join(terms), "fts"), query_type="fts")
            query = query.where(build_where(file_ids=file_ids), prefilter=True).limit(limit)
            return query.select(["id", "file_id", "_score", "fts"]).to_arrow()

        found = self._read(ask)
        columns = (found[name].to_pylist() for name in ("id", "file_id", "_score", "fts"))
        return [TextMatch(*values) for values in zip(*columns, strict=True)]

    def holding(self, phrase: str) -> list[str] | None:
        """Units that hold all words of a phrase, from the full-text index: where it may stand.

        None if these are too many to list, or the phrase has no words: then the text is scanned
        (0.5 s at 100,000 units, against 10 ms).
        """
        terms = list(dict.fromkeys(analyze(phrase)))
        if not terms:
            return None
        found = self.search_text(terms, None, MOST_LISTED, every=True)
        return [c.unit_id for c in found] if len(found) < MOST_LISTED else None

    def exists(self, where: str | None) -> bool:
        """Whether any unit fulfils a condition."""

        def ask() -> pa.Table:
            query = self._table.search().select(["id"]).limit(1)
            return (query.where(where) if where else query).to_arrow()

        return bool(len(self._read(ask)))

    def rows(self, unit_ids: Iterable[str]) -> dict[str, Row]:
        """Rows by unit id; what is not there is left out."""
        found = self._scan(None, unit_ids, ROW_COLUMNS)
        return {row.unit_id: row for row in from_arrow(found)}

    def file_rows(self, file_id: int) -> list[Row]:
        """A file's units in order."""
        rows = from_arrow(self._scan(f"file_id = {int(file_id)}", None, ROW_COLUMNS))
        return sorted(rows, key=lambda row: int(row.unit_id.rpartition(":")[2]))

    def vectors(
        self, unit_ids: Iterable[str], column: Literal["vector", "document"] = "vector"
    ) -> dict[str, NDArray[np.float32]]:
        """Vectors [d] of units, or of their whole files, by unit id; units without one are left
        out."""
        found = self._scan(None, unit_ids, ["id", column])
        matrix = vector_matrix(found[column], self._dim)
        pairs = zip(found["id"].to_pylist(), matrix, strict=True)
        return {unit_id: vector for unit_id, vector in pairs if not np.isnan(vector[0])}

    def tokens(self, refs: Sequence[TokenRef]) -> list[TokenRecord]:
        """Token records by reference; one that is lost has no tokens."""
        return self._segments.read(refs)

    def _scan(self, where: str | None, unit_ids: Iterable[str] | None, columns: list[str]) -> Any:
        if unit_ids is not None:
            listed = ", ".join(quote(unit_id) for unit_id in unit_ids)
            where = f"id IN ({listed})" if listed else "false"

        def ask() -> pa.Table:
            query = self._table.search()
            query = query.where(where) if where is not None else query
            return query.select(columns).to_arrow()

        return self._read(ask)

    def _read(self, ask: Callable[[], T]) -> T:
        """Ask the table; once more if maintenance removed a file under a query's feet."""
        if self._closed:
            raise InklingError("The search index is closed.", hint="Start Inkling again.")
        try:
            return ask()
        except (*_READ_ERRORS, ValueError) as error:
            if not _DAMAGE.search(str(error)):
                raise
        with _readable_errors():
            self._table.checkout_latest()
            return ask()

    def size_bytes(self) -> int:
        """Bytes on disk, segments included."""
        rows = 0
        for parent, _, names in os.walk(self._folder):
            for name in names:
                try:
                    rows += os.stat(os.path.join(parent, name)).st_size
                except FileNotFoundError:  # removed by maintenance meanwhile
                    continue
        return rows + self._segments.size_bytes()

    def close(self) -> None:
        """Let go of the files; a write in progress is finished first."""
        with self._write:
            self._closed = True
            self._segments.close()


_REFERENCE_COLUMNS = ["segment", "offset", "length", "file_id"]


@contextmanager
def _readable_errors() -> Iterator[None]:
    """LanceDB's and the system's errors in words; damage as StoreDamagedError."""
    try:
        yield
    except InklingError:
        raise
    except (*_READ_ERRORS, ValueError) as error:
        text = str(error)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "No space left" in text or "os error 28" in text:
            raise InklingError(
                "The disk is full; the search index could not be written.",
                hint="Free some space; Inkling goes on by itself.",
            ) from error
        if isinstance(error, PermissionError) or "Permission denied" in text:
            raise InklingError(
                "The search index can't be written: permission denied.",
                hint="Fix the permissions of Inkling's folder, or choose another with --base-dir.",
            ) from error
        if _DAMAGE.search(text):
            raise StoreDamagedError("The search index is damaged.", hint=REBUILD_HINT) from error
        raise


def _check_units(files: Mapping[int, Sequence[StoredUnit]], units: Sequence[StoredUnit]) -> None:
    """Two rows of one id would be stored twice without a word."""
    if len({stored.unit.unit_id for stored in units}) != len(units):
        raise ValueError("units of a file need different ordinals")
    if any(stored.unit.file_id not in files for stored in units):
        raise ValueError("a unit belongs to a file that is not being replaced")


def _candidates(found: pa.Table, scores: list[float]) -> list[Candidate]:
    ids, files = found["id"].to_pylist(), found["file_id"].to_pylist()
    return [Candidate(*row) for row in zip(ids, files, scores, strict=True)]
