"""How stages of an answer become one list whose rows do not jump under cursor or keyboard."""

from __future__ import annotations

from collections.abc import Sequence

from engine.contract.types import Hit


def merge(shown: Sequence[Hit], fresh: Sequence[Hit], frozen: bool) -> list[Hit]:
    """The rows to show after a stage.

    Until the person touches the list the newest stage stands as it is. Once it is `frozen`
    (an arrow key, the mouse over it) rows keep their places and take the newer content; hits that
    are new come after them; a row that a later stage dropped stays, since it is being looked at.
    """
    if not frozen:
        return _unique(fresh)
    newer = {hit.path: hit for hit in fresh}
    known = {hit.path for hit in shown}
    kept = [newer.get(hit.path, hit) for hit in shown]
    return kept + [hit for hit in _unique(fresh) if hit.path not in known]


def _unique(hits: Sequence[Hit]) -> list[Hit]:
    """One row per file, the first (best) one."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.path, hit)
    return list(first.values())
