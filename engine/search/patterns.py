"""Wildcards: when a pattern of names that no file meets has a looser one take its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

from engine.contract.types import Query
from engine.search.ports import NameIndex

#: A pattern with fewer letters than this is one of nearly all names.
_LETTERS = 2


def relax_patterns(query: Query, names: NameIndex) -> Query:
    """The query with the least loose patterns that any file meets; as it is where one does, or
    where none would. All other filters hold."""
    typed = query.filters.names
    if not typed or names([], 1, query.filters):
        return query
    for step in zip(*map(_looser, typed), strict=True):
        patterns = tuple(dict.fromkeys(filter(None, step)))
        relaxed = replace(query.filters, names=patterns)
        if patterns and names([], 1, relaxed):
            return replace(query, filters=relaxed)
    return query


def _looser(pattern: str) -> Iterator[str]:
    """With any ending, then anywhere in a name; "" where too little would be left."""
    stem = os.path.splitext(pattern)[0]
    core = stem.strip("*?")
    for looser in (f"{stem.rstrip('*')}*", f"*{core}*"):
        yield looser if len(re.findall(r"[^\W_]", looser)) >= _LETTERS else ""
