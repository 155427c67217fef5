"""What one asker sees of the points: a store of the units of some classes of rights.

Every question goes through here with the view's own filter, and every number is a sum over its
classes: nothing tells of, counts or ranks by any other unit.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from engine.contract.folding import name_regex
from engine.contract.path_text import clean
from engine.served import words
from engine.served.filters import filter_of
from engine.served.payload import (
    DENSE,
    DOCUMENT,
    ROW_FIELDS,
    record_from,
    row_from,
)
from engine.served.points import (
    EVERYTHING,
    AnyOfValues,
    Filter,
    Found,
    HoldsTerms,
    Points,
    point_id,
)
from engine.served.statistics import Rights, Statistics
from engine.store.analyzer import analyze
from engine.store.condition import Condition
from engine.store.lexicon import Lexicon
from engine.store.protocol import UnitStore
from engine.store.rows import Candidate, Row
from engine.store.segments import StoredTokens, TokenRef
from engine.store.term_groups import AnyOf, Asked, groups_of
from engine.store.text_matches import TextMatches
from engine.store.token_record import LOST

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
#: Units in one list; more are not listed.
MOST_LISTED = 2_000
#: What was looked up is kept for so many questions, until something is written.
_KEPT = 256
#: Where an asker may read this share of all, the nearest of all are asked for and what they may
#: not read is left out: the engine takes longer over each point that it has to ask for its class.
_MOST_OF_ALL = 0.2


class Whole(Protocol):
    """The store that a view is of."""

    units: Points
    records: Points
    statistics: Statistics

    @property
    def writes(self) -> int:
        """Grows with everything that is written."""


class View(UnitStore):
    """The units of some classes of rights (None: all). From any thread."""

    def __init__(self, whole: Whole, rights: Rights) -> None:
        self._whole, self._rights = whole, rights
        self._visible = EVERYTHING
        if rights is not None:
            self._visible = Filter((AnyOfValues("rights", sorted(rights)),))
        self._lock = Lock()
        self._kept: OrderedDict[object, tuple[int, Any]] = OrderedDict()

    @property
    def _points(self) -> Points:
        return self._whole.units

    def _once(self, key: object, make: Callable[[], V]) -> V:
        """What was made for a key, if nothing has been written since."""
        writes = self._whole.writes
        with self._lock:
            known = self._kept.get(key)
            if known is not None and known[0] == writes:
                self._kept.move_to_end(key)
                return known[1]  # type: ignore[no-any-return]
        made = make()
        with self._lock:
            self._kept[key] = (writes, made)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def _readable(self, found: Found) -> bool:
        return self._rights is None or found.payload.get("rights") in self._rights

    def _where(self, condition: Condition | None, without: Sequence[int] = ()) -> Filter:
        return filter_of(condition, without, self) & self._visible

    def texts(self, text: str, where: Filter) -> Sequence[UUID]:
        """For engine.served.filters: points whose text or context holds this one."""
        pattern = re.compile(r"\s+".join(map(re.escape, clean(text).split())), re.I)

        def read() -> list[UUID]:
            found = self._points.scroll(where & self._visible, ["text", "context"])
            said = ((p.id, p.payload) for p in found)
            return [
                i
                for i, told in said
                if pattern.search(told.get("text", "")) or pattern.search(told.get("context", ""))
            ]

        return self._once(("texts", text, repr(where)), read)

    def names(self, pattern: str, where: Filter) -> Sequence[str]:
        """For engine.served.filters: names that meet a pattern."""
        import regex

        asked = regex.compile(name_regex(pattern, "/"))

        def read() -> list[str]:
            most = max(self.count(), 1)
            there = self._points.values("name", where & self._visible, most)
            return [str(name) for name in there if asked.search(f"/{name}")]

        return self._once(("names", pattern, repr(where)), read)

    def count(self) -> int:
        return self.totals()[0]

    def totals(self) -> tuple[int, int]:
        """Units, and words of all of them."""
        return self._once("totals", lambda: self._whole.statistics.totals(self._rights))

    def exists(self, condition: Condition | None) -> bool:
        return any(True for _ in self._points.scroll(self._where(condition), (), 1))

    def files_with(self, condition: Condition | None, file_ids: Sequence[int]) -> set[int]:
        if not file_ids:
            return set()
        where = self._where(condition) & Filter((AnyOfValues("file_id", list(file_ids)),))
        return {int(i) for i in self._points.values("file_id", where, len(set(file_ids)))}

    def _fetch(
        self, unit_ids: Iterable[str], fields: Sequence[str], vectors: Sequence[str] = ()
    ) -> dict[str, Found]:
        """What of these there is to see, in the order asked."""
        asked = {point_id(uid): uid for uid in unit_ids}
        if not asked:
            return {}
        found = self._points.fetch(list(asked), [*fields, "rights"], vectors)
        there = {asked[p.id]: p for p in found if self._readable(p)}
        return {uid: there[uid] for uid in asked.values() if uid in there}

    def rows(self, unit_ids: Iterable[str]) -> dict[str, Row]:
        found = self._fetch(unit_ids, ROW_FIELDS)
        return {uid: row_from(point.payload) for uid, point in found.items()}

    def file_rows(self, file_id: int) -> list[Row]:
        where = Filter((AnyOfValues("file_id", [int(file_id)]),)) & self._visible
        rows = [row_from(point.payload) for point in self._points.scroll(where, ROW_FIELDS)]
        return sorted(rows, key=lambda row: int(row.unit_id.rpartition(":")[2]))

    def vectors(
        self, unit_ids: Iterable[str], column: Literal["vector", "document"] = "vector"
    ) -> dict[str, NDArray[np.float32]]:
        name = DENSE if column == "vector" else DOCUMENT
        found = self._fetch(unit_ids, (), [name])
        return {uid: p.vectors[name] for uid, p in found.items() if name in p.vectors}

    def tokens(self, refs: Sequence[TokenRef]) -> list[StoredTokens]:
        ids = [point_id(f"{ref.segment}:{ref.offset}") for ref in refs]
        found = self._whole.records.fetch(list(dict.fromkeys(ids)), ("record", "rights"))
        known = {p.id: record_from(p.payload) for p in found if self._readable(p)}
        return [known.get(i, LOST) for i in ids]

    def search_vector(
        self,
        vector: NDArray[np.float32],
        condition: Condition | None,
        limit: int,
        *,
        without: Sequence[int] = (),
    ) -> list[Candidate]:
        length = float(np.linalg.norm(vector))
        if limit < 1 or not (np.isfinite(length) and length > 0):
            return []
        where = filter_of(condition, without, self)
        found = None
        if where == EVERYTHING and self._rights is not None:
            found = self._nearest_of_all(vector, limit)
        if found is None:
            found = self._points.nearest(
                DENSE, vector, where & self._visible, limit, ("id", "file_id")
            )
        return [Candidate(p.payload["id"], p.payload["file_id"], p.score) for p in found]

    def _nearest_of_all(self, vector: NDArray[np.float32], limit: int) -> list[Found] | None:
        """The nearest that may be read, out of the nearest of all; None where that is not the way
        to find them."""
        everything = self._whole.statistics.totals(None)[0]
        share = self.count() / max(everything, 1)
        if share < _MOST_OF_ALL:
            return None
        most = min(int(limit / share * 1.25) + 16, everything)
        found = self._points.nearest(DENSE, vector, EVERYTHING, most, ("id", "file_id", "rights"))
        readable = [point for point in found if self._readable(point)]
        enough = len(readable) >= limit or most >= everything
        return readable[:limit] if enough else None

    def search_text(
        self,
        terms: Sequence[Asked],
        condition: Condition | None,
        limit: int,
        *,
        every: bool = False,
        without: Sequence[int] = (),
    ) -> list[Candidate]:
        groups = self._weighed(terms)
        where = self._where(condition, without)
        if every:
            where &= Filter(tuple(group.where for group in groups))
        return [scored.candidate for scored in self._best(groups, where, limit)]

    def text_within(
        self,
        asked: Sequence[Asked],
        file_ids: Sequence[int],
        limit: int,
        terms: Sequence[str] = (),
    ) -> TextMatches:
        if not asked or not file_ids:
            return TextMatches.none(terms)
        where = Filter((AnyOfValues("file_id", list(file_ids)),)) & self._visible
        found = self._best(self._weighed(asked), where, limit)
        texts = [scored.terms for scored in found]
        return TextMatches.of_texts([scored.candidate for scored in found], texts, terms)

    def _weighed(self, asked: Iterable[Asked]) -> list[words.Weighed]:
        return [self._once(group, partial(self._group, group)) for group in groups_of(asked)]

    def _group(self, group: AnyOf) -> words.Weighed:
        return words.weighed(group, self._points, self, self._visible)

    def _best(
        self, groups: Sequence[words.Weighed], where: Filter, limit: int
    ) -> list[words.Scored]:
        return words.best(groups, self._points, self.totals(), where, limit, self._readable)

    def held(self, terms: Sequence[str]) -> Mapping[str, int]:
        """How many units hold each term; those that none holds are left out."""
        return self._whole.statistics.held(terms, self._rights)

    def number(self, where: Filter) -> int:
        """How many units fulfil a filter."""
        return self._points.count(where & self._visible)

    def unit_terms(self, unit_ids: Iterable[str]) -> dict[str, str]:
        found = self._fetch(unit_ids, ("fts",))
        return {uid: point.payload.get("fts", "") for uid, point in found.items()}

    def sampled_terms(self, most: int) -> list[str]:
        # Ids are by chance, so that the first of them are a sample.
        return [p.payload.get("fts", "") for p in self._points.scroll(self._visible, ["fts"], most)]

    def holding(self, phrase: str) -> list[str] | None:
        terms = list(dict.fromkeys(analyze(phrase)))
        if not terms:
            return None
        where = Filter((HoldsTerms("fts", terms),)) & self._visible
        found = [p.payload["id"] for p in self._points.scroll(where, ["id"], MOST_LISTED)]
        return found if len(found) < MOST_LISTED else None

    def ask_words(self, question: Callable[[Lexicon], T]) -> T:
        return question(_Words(self, self._whole.statistics, self._rights))

    def passages(self, term: str, most: int) -> list[Row]:
        """Some units that hold a term."""
        where = Filter((HoldsTerms("fts", [term]),)) & self._visible
        return [row_from(p.payload) for p in self._points.scroll(where, ROW_FIELDS, most)]


@dataclass(frozen=True, slots=True)
class _Words:
    """The lexicon of a view."""

    view: View
    statistics: Statistics
    rights: Rights

    def held(self, terms: Sequence[str]) -> dict[str, int]:
        return self.statistics.held(terms, self.rights)

    def known(self, terms: Sequence[str]) -> set[str]:
        return set(self.statistics.held(terms, self.rights))

    def beside(self, term: str, others: Sequence[str]) -> int:
        if not others:
            return 0
        any_other = tuple(HoldsTerms("fts", [other]) for other in others)
        return self.view.number(Filter((HoldsTerms("fts", [term]),), any_other))

    def near(self, word: str, errors: int) -> list[str]:
        return self.statistics.near(word, errors, self.rights)

    def longer(self, word: str, most: int) -> tuple[list[str], list[str]]:
        return self.statistics.longer(word, most, self.rights)

    def passages(self, term: str, most: int) -> list[Row]:
        return self.view.passages(term, most)
