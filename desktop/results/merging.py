"""How stages of an answer become one list whose rows do not jump under cursor or keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, Literal, get_args

from engine.contract.types import Hit

Order = Literal["relevance", "date", "name", "size", "folder"]
ORDERS: tuple[Order, ...] = get_args(Order)


def merge(shown: Sequence[Hit], fresh: Sequence[Hit], frozen: bool) -> list[Hit]:
    """The rows to show after a stage.

    Until the person touches the list the newest stage stands as it is. Once it is `frozen`
    (an arrow key, the mouse over it) rows keep their places and take the newer content; hits that
    are new come after them; a row that a later stage dropped stays, since it is being looked at.
    """
    if not frozen:
        return _unique(fresh)
    newer = {hit.key: hit for hit in fresh}
    known = {hit.key for hit in shown}
    kept = [newer.get(hit.key, hit) for hit in shown]
    return kept + [hit for hit in _unique(fresh) if hit.key not in known]


def ordered(hits: Sequence[Hit], matching: int | None, order: Order) -> list[Hit]:
    """The hits in another order than the ranker's; what matches stays before what is similar."""
    if order == "relevance":
        return list(hits)
    key = _KEYS[order]
    known = matching or 0
    return [*sorted(hits[:known], key=key), *sorted(hits[known:], key=key)]


_KEYS: dict[Order, Callable[[Hit], tuple[Any, ...]]] = {
    "date": lambda hit: (-hit.date,),
    "name": lambda hit: (_natural(PurePath(hit.path).name),),
    "size": lambda hit: (-hit.size,),
    "folder": lambda hit: (_natural(str(PurePath(hit.path).parent)), _natural(hit.path)),
}


def _natural(name: str) -> list[tuple[int, str]]:
    """As people sort: without case, numbers by their value."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _unique(hits: Sequence[Hit]) -> list[Hit]:
    """One row per file, the first (best) one."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.key, hit)
    return list(first.values())
