"""What a vector space answers: rows, vectors, tokens, and what is found by meaning or by words."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.contract.conditions import quote
from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.path_text import text_to_path
from engine.store.analyzer import analyze
from engine.store.array_view import View
from engine.store.arrays import Arrays
from engine.store.condition import ANYTHING, Condition
from engine.store.lance_table import LanceTable
from engine.store.lexicon import Lexicon, TableLexicon
from engine.store.rows import (
    ROW_COLUMNS,
    Candidate,
    Row,
    from_arrow,
    reference_matrix,
    vector_matrix,
)
from engine.store.segments import Segments, StoredTokens, TokenRef
from engine.store.term_groups import Asked
from engine.store.text_matches import TextMatches
from engine.store.text_query import fuzzy_query, text_query
from engine.store.where import demands_of, of_files, sql_of

T = TypeVar("T")
MOST_LISTED = 2_000  # unit ids in one condition; 1,000 cost 7 ms at 100,000 units
_REFERENCE_COLUMNS = ["segment", "offset", "length", "file_id"]


class Reader:
    """Reads of one space, from any thread. They raise InklingError alone: StoreDamagedError,
    StoreBusyError, RefusedQueryError, or that it is closed."""

    def __init__(
        self, table: LanceTable, segments: Segments, dim: int, arrays: Arrays | None
    ) -> None:
        self._table = table
        self._arrays = arrays
        self._segments = segments
        self._dim = dim
        self._closed = False

    @property
    def version(self) -> int:
        """Number of the newest commit; grows, except when a broken commit was given up."""
        return self._read(lambda t: int(t.version))

    def file_ids(self) -> set[int]:
        """Files that have rows."""
        return self._scan(None, ["file_id"], lambda found: set(found["file_id"].to_pylist()))

    def _unit_ids(self, file_ids: Iterable[int]) -> set[str]:
        """Units of these files."""
        where = of_files(list(file_ids))
        return self._scan(where, ["id"], lambda found: set(found["id"].to_pylist()))

    def places(self) -> dict[int, tuple[str, float]]:
        """Path and time of change of every file, as its rows have them."""

        def convert(found: pa.Table) -> dict[int, tuple[str, float]]:
            columns = (found[name].to_pylist() for name in ("file_id", "path", "mtime"))
            return {i: (text_to_path(path), mtime) for i, path, mtime in zip(*columns, strict=True)}

        return self._scan(None, ["file_id", "path", "mtime"], convert)

    def symbols(self) -> dict[int, str]:
        """Of every file the symbol of one of its units; "" where it has none."""

        def convert(found: pa.Table) -> dict[int, str]:
            columns = (found[name].to_pylist() for name in ("file_id", "symbol"))
            return {file_id: symbol or "" for file_id, symbol in zip(*columns, strict=True)}

        return self._scan(None, ["file_id", "symbol"], convert)

    def files_with(self, condition: Condition | None, file_ids: Sequence[int]) -> set[int]:
        """Of these files those with a unit that fulfils a condition."""
        where = sql_of((condition or ANYTHING).among(file_ids))
        return self._scan(where, ["file_id"], lambda found: set(found["file_id"].to_pylist()))

    def count(self) -> int:
        """Number of units."""
        known = self._of_arrays(lambda view: view.count)
        return self._read(lambda t: int(t.count_rows())) if known is None else known

    def sampled_terms(self, most: int) -> list[str]:
        """The analysed terms, set in spaces, of all units, or of so many by chance, the same ones
        while their number stays."""
        units = self.count()
        if not units:
            return []
        offsets = list(range(units))
        if units > most:
            offsets = sorted(random.Random(units).sample(offsets, most))

        def ask(t: Any) -> list[str]:
            found = t.take_offsets(offsets).select(["fts"]).to_arrow()
            return [text or "" for text in found["fts"].to_pylist()]

        return self._read(ask)

    def search_vector(
        self,
        vector: NDArray[np.float32],
        condition: Condition | None,
        limit: int,
        *,
        without: Sequence[int] = (),
    ) -> list[Candidate]:
        """Nearest units by cosine similarity, best first; none of the files `without`."""
        demands = demands_of(condition)
        if demands is not None:
            known = self._of_arrays(lambda view: view.nearest(vector, demands, limit, without))
            if known is not None:
                return known
        where = sql_of(condition, without)

        def ask(t: Any) -> list[Candidate]:
            query = t.search(np.asarray(vector, dtype=np.float32), vector_column_name="vector")
            # Without refinement an index's distances are on another scale than those of new rows.
            query = query.distance_type("cosine").refine_factor(2).limit(limit)
            query = query.where(where, prefilter=True) if where else query
            found = query.select(["id", "file_id", "_distance"]).to_arrow()
            return _candidates(found, (1.0 - found["_distance"].to_numpy()).tolist())

        return self._read(ask)

    def search_text(
        self,
        terms: Sequence[Asked],
        condition: Condition | None,
        limit: int,
        *,
        every: bool = False,
        without: Sequence[int] = (),
    ) -> list[Candidate]:
        """Units that hold any (or every) of these analyzer terms, best BM25 first; none of the
        files `without`."""
        if not terms:
            return []
        demands = demands_of(condition)
        if demands is not None:
            known = self._of_arrays(
                lambda view: view.holding(terms, demands, limit, every, without)
            )
            if known is not None:
                return known
        where = sql_of(condition, without)

        def ask(t: Any) -> list[Candidate]:
            query = t.search(text_query(terms, every=every), query_type="fts").limit(limit)
            query = query.where(where, prefilter=True) if where else query
            found = query.select(["id", "file_id", "_score"]).to_arrow()
            return _candidates(found, found["_score"].to_pylist())

        return self._read(ask)

    def text_within(
        self,
        asked: Sequence[Asked],
        file_ids: Sequence[int],
        limit: int,
        terms: Sequence[str] = (),
    ) -> TextMatches:
        """Units of these files that hold any of what is asked, best BM25 first, and which of
        `terms` each holds."""
        if not asked or not file_ids:
            return TextMatches.none(terms)
        known = self._of_arrays(lambda view: view.holding_within(asked, file_ids, limit, terms))
        if known is not None:
            return known

        def ask(t: Any) -> TextMatches:
            query = t.search(text_query(asked), query_type="fts")
            query = query.where(of_files(file_ids), prefilter=True).limit(limit)
            found = query.select(["id", "file_id", "_score", "fts"]).to_arrow()
            texts = [text or "" for text in found["fts"].to_pylist()]
            return TextMatches.of_texts(
                _candidates(found, found["_score"].to_pylist()), texts, terms
            )

        return self._read(ask)

    def unit_terms(self, unit_ids: Iterable[str]) -> dict[str, str]:
        """The analysed terms of units, set in spaces, by unit id; what is not there is left out."""
        asked = list(unit_ids)
        if not asked:
            return {}
        if (known := self._of_arrays(lambda view: view.unit_terms(asked))) is not None:
            return known

        def convert(found: pa.Table) -> dict[str, str]:
            texts = (text or "" for text in found["fts"].to_pylist())
            return dict(zip(found["id"].to_pylist(), texts, strict=True))

        return self._scan(_listed(asked), ["id", "fts"], convert)

    def ask_words(self, question: Callable[[Lexicon], T]) -> T:
        """What a lexicon of the passages' words is asked, all of it of one commit."""
        known = self._of_arrays(lambda view: view.ask_words(question))
        return question(TableLexicon(self)) if known is None else known

    def terms_for(self, terms: Sequence[str], errors: int, limit: int) -> list[str]:
        """The terms, set in spaces, of the units that come first for any of these terms, or for
        terms so many typing errors away."""
        match = fuzzy_query(terms, errors) if errors else text_query(terms)

        def ask(t: Any) -> list[str]:
            found = t.search(match, query_type="fts").limit(limit).select(["fts", "_score"])
            return [text or "" for text in found.to_arrow()["fts"].to_pylist()]

        return self._read(ask)

    def rows_for(self, term: str, limit: int) -> list[Row]:
        """Rows of the units that come first for a term."""
        found = self.search_text([term], None, limit)
        return list(self.rows(candidate.unit_id for candidate in found).values())

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

    def exists(self, condition: Condition | None) -> bool:
        """Whether any unit fulfils a condition."""
        where = sql_of(condition)

        def ask(t: Any) -> bool:
            query = t.search().select(["id"]).limit(1)
            return bool((query.where(where) if where else query).to_arrow().num_rows)

        return self._read(ask)

    def rows(self, unit_ids: Iterable[str]) -> dict[str, Row]:
        """Rows by unit id; what is not there is left out."""
        asked = list(unit_ids)
        if (known := self._of_arrays(lambda view: view.units(asked))) is not None:
            return known
        found = self._scan(_listed(asked), ROW_COLUMNS, from_arrow)
        return {row.unit_id: row for row in found}

    def file_rows(self, file_id: int) -> list[Row]:
        """A file's units in order."""
        if (known := self._of_arrays(lambda view: view.file_units(int(file_id)))) is not None:
            return known
        rows = self._scan(f"file_id = {int(file_id)}", ROW_COLUMNS, from_arrow)
        return sorted(rows, key=lambda row: int(row.unit_id.rpartition(":")[2]))

    def vectors(
        self, unit_ids: Iterable[str], column: Literal["vector", "document"] = "vector"
    ) -> dict[str, NDArray[np.float32]]:
        """Vectors [d] of units, or of their whole files, by unit id; units without one are left
        out."""
        asked = list(unit_ids)
        known = self._of_arrays(lambda view: view.vectors(asked, column))
        if known is not None:
            return known

        def convert(found: pa.Table) -> dict[str, NDArray[np.float32]]:
            matrix = vector_matrix(found[column], self._dim)
            pairs = zip(found["id"].to_pylist(), matrix, strict=True)
            return {unit_id: vector for unit_id, vector in pairs if not np.isnan(vector[0])}

        return self._scan(_listed(asked), ["id", column], convert)

    def tokens(self, refs: Sequence[TokenRef]) -> list[StoredTokens]:
        """Token records by reference; one that is lost has no tokens."""
        return self._segments.read(refs)

    def _references(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Every row's token reference [n, 3], and its file [n]."""
        return self._scan("segment IS NOT NULL", _REFERENCE_COLUMNS, reference_matrix)

    def _of_arrays(self, question: Callable[[View], T | None]) -> T | None:
        """What the arrays beside the table say; None if the table is to be asked."""
        self._check_open()
        return None if self._arrays is None else self._arrays.ask(self._table.mark(), question)

    def _check_open(self) -> None:
        if self._closed:
            raise InklingError("The search index is closed.", hint="Start Inkling again.")

    def _scan(self, where: str | None, columns: list[str], convert: Callable[[pa.Table], T]) -> T:
        def ask(t: Any) -> T:
            query = t.search()
            query = query.where(where) if where is not None else query
            return convert(query.select(columns).to_arrow())

        return self._read(ask)

    def _read(self, ask: Callable[[Any], T]) -> T:
        """Ask the table; once more if maintenance removed a file under a query's feet."""
        self._check_open()
        try:
            return self._table.read(ask)
        except StoreDamagedError:
            self._table.read(lambda t: t.checkout_latest())
            return self._table.read(ask)


def _listed(unit_ids: Iterable[str]) -> str:
    listed = ", ".join(quote(unit_id) for unit_id in unit_ids)
    return f"id IN ({listed})" if listed else "false"


def _candidates(found: pa.Table, scores: list[float]) -> list[Candidate]:
    ids, files = found["id"].to_pylist(), found["file_id"].to_pylist()
    return [Candidate(*row) for row in zip(ids, files, scores, strict=True)]
