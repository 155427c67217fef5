"""Readings given up: where words that were read as a filter would hide what is meant."""

from __future__ import annotations

from engine.contract.types import GivenUp, Query
from engine.search.ports import NameIndex, NameMatch
from engine.store import Condition, UnitStore

#: Names looked through for one that is just what was typed.
_NAMES = 5
#: From this on a name is the question, as it stands or with other separators.
_WHOLE = 0.9


def kept_readings(query: Query, store: UnitStore, names: NameIndex) -> tuple[Query, GivenUp]:
    """The question as it is asked, and why its readings were given up, if they were.

    "notes from last week" may be a file's name, and where no file meets the readings they answer
    nothing; then their words are words.
    """
    unread = query.unread
    if unread is None:
        return query, ""
    found = names(unread.text.split(), _NAMES, unread.filters)
    if any(map(_is_called_so, found)):
        return unread, "name"
    # Passages first: they are what most questions ask, and one look finds one.
    if store.exists(Condition(query.filters)) or names([], 1, query.filters):
        return query, ""
    return unread, "nothing"


def _is_called_so(match: NameMatch) -> bool:
    """Whether a name is what was typed, or holds all of it in this order."""
    parts = match.parts
    all_in_order = parts.coverage > 0.999 and parts.in_order >= 1.0
    return parts.whole >= _WHOLE or (all_in_order and not parts.typos)
