"""Conditions in SQL, and what of them arrays can tell without it."""

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
from engine.store.condition import ANYTHING, Condition

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


def demands_of(condition: Condition | None) -> Demands | None:
    """What a condition asks; None if that can be told by SQL alone."""
    if condition is None:
        return Demands()
    c = condition
    by_words = c.phrases or c.excluded or c.candidate_ids
    if by_words or c.file_ids is not None or _needs_sql(c.filters):
        return None
    return Demands(c.filters, c.kinds)


class DataFusion:
    """The store's SQL, for engine.contract.conditions."""

    date = "coalesce(taken, mtime)"

    def contains(self, column: str, text: str) -> str:
        return f"contains({column}, {quote(text)})"

    def below(self, folder: str) -> str:
        return f"starts_with(path, {quote(path_to_text(folder.rstrip(os.sep) + os.sep))})"

    def named(self, pattern: str) -> str:
        return f"regexp_like(path, {quote(name_regex(pattern, os.sep))})"


def sql_of(condition: Condition | None, without: Sequence[int] = ()) -> str | None:
    """The condition a row must fulfil, being of none of the files `without`; None if every row
    does."""
    c = condition or ANYTHING
    # First, so that the index decides and the costlier conditions see few rows.
    demands = [one_of("id", ids) if ids else "false" for ids in c.candidate_ids]
    if c.file_ids is not None:
        demands.append(of_files(c.file_ids))
    demands += filter_conditions(c.filters, DataFusion())
    if c.kinds:
        demands.append(one_of("kind", c.kinds))
    demands += [contains(phrase) for phrase in c.phrases]
    demands += [f"NOT {_mentions(word)}" for word in c.excluded]
    if without:
        demands.append(f"NOT {of_files(without)}")
    return " AND ".join(demands) or None


def of_files(file_ids: Sequence[int]) -> str:
    """Whether a row is of one of these files."""
    return f"file_id IN ({', '.join(map(str, file_ids))})" if file_ids else "false"


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
