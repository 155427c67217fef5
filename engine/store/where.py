"""Filters, phrases and exclusions as one SQL prefilter."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from engine.contract.conditions import filter_conditions, one_of, quote
from engine.contract.folding import name_regex
from engine.contract.path_text import clean, path_to_text
from engine.contract.types import Filters
from engine.store.analyzer import analyze

#: Fields of Filters that engine.store.array_rows.fulfilling tells without SQL.
BY_ARRAYS = frozenset(
    {"kinds", "not_kinds", "exts", "not_exts", "languages", "not_languages"}
    | {"after", "before", "min_size", "max_size", "any_of"}
)
#: Whatever else there is to ask, a filter added tomorrow included.
BY_SQL = frozenset(f.name for f in fields(Filters)) - BY_ARRAYS
_NOTHING = Filters()


@dataclass(frozen=True, slots=True)
class Demands:
    """What a condition asks, where it asks no more than this of the facts of units' files."""

    filters: Filters = field(default_factory=Filters)
    kinds: tuple[str, ...] = ()


class Where(str):
    """A condition in SQL that also knows what it says, if arrays can tell it without SQL."""

    demands: Demands

    def __new__(cls, sql: str, demands: Demands) -> Where:
        made = super().__new__(cls, sql)
        made.demands = demands
        return made


def demands_of(where: str | None) -> Demands | None:
    """What a condition asks; None if that can be told by SQL alone."""
    if where is None:
        return Demands()
    return where.demands if isinstance(where, Where) else None


class DataFusion:
    """The store's SQL, for engine.contract.conditions."""

    date = "coalesce(taken, mtime)"

    def contains(self, column: str, text: str) -> str:
        return f"contains({column}, {quote(text)})"

    def below(self, folder: str) -> str:
        return f"starts_with(path, {quote(path_to_text(folder.rstrip(os.sep) + os.sep))})"

    def named(self, pattern: str) -> str:
        return f"regexp_like(path, {quote(name_regex(pattern, os.sep))})"


def build_where(
    filters: Filters | None = None,
    *,
    phrases: Sequence[str] = (),
    excluded: Sequence[str] = (),
    kinds: Sequence[str] = (),
    candidate_ids: Sequence[Sequence[str]] = (),
    file_ids: Sequence[int] | None = None,
) -> str | None:
    """The condition a row must fulfil, or None if every row does.

    `kinds` is the caller's own demand on top of the filters (an adapter's lane: the kinds that it
    encodes). `candidate_ids`: lists of unit ids, each of which a row must be in;
    `file_ids`: the files that it may be of.
    """
    # First, so that the index decides and the costlier conditions see few rows.
    demands = [one_of("id", unit_ids) if unit_ids else "false" for unit_ids in candidate_ids]
    if file_ids is not None:
        demands.append(f"file_id IN ({', '.join(map(str, file_ids))})" if file_ids else "false")
    demands += filter_conditions(filters or Filters(), DataFusion())
    if kinds:
        demands.append(one_of("kind", kinds))
    demands += [contains(phrase) for phrase in phrases]
    demands += [f"NOT {_mentions(word)}" for word in excluded]
    sql = " AND ".join(demands)
    asked = filters or Filters()
    by_sql = phrases or excluded or candidate_ids or file_ids is not None
    if by_sql or not sql or _needs_sql(asked):
        return sql or None
    return Where(sql, Demands(asked, tuple(kinds)))


def _needs_sql(filters: Filters) -> bool:
    """Whether filters ask what arrays can't tell."""
    return any(getattr(filters, n) != getattr(_NOTHING, n) for n in BY_SQL) or any(
        _needs_sql(option) for options in filters.any_of for option in options
    )


def contains(phrase: str) -> str:
    """Whether text or context holds the phrase, whatever its case, spacing and line breaks."""
    words = (re.escape(word) for word in clean(phrase).split())
    # ".?" keeps DataFusion from turning a plain text into LIKE, where "\\" would not match itself.
    pattern = quote("(?is).?" + r"\s+".join(words))
    return f"(regexp_like(text, {pattern}) OR regexp_like(context, {pattern}))"


def _mentions(word: str) -> str:
    """Whether a row's full-text terms hold this word, whole if it is an identifier."""
    terms = analyze(word)
    if len(word.split()) > 1 or not terms:
        return contains(word)
    return f"contains(fts, {quote(f' {terms[0]} ')})"
