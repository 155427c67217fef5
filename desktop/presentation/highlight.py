"""Syntax colours: pygments' tokens as runs of a few roles, in light and in dark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QColor

from desktop.presentation.positions import Positions

if TYPE_CHECKING:
    from pygments.lexer import Lexer

#: Role -> colour on light, colour on dark; each at least 4.5:1 on its window.
COLOURS: dict[str, tuple[str, str]] = {
    "keyword": ("#8a3ab9", "#c792ea"),
    "string": ("#2a7a3b", "#98c379"),
    "number": ("#a6530b", "#e5a06a"),
    "comment": ("#5f6673", "#8b92a0"),
    "name": ("#1f5fbf", "#7fb2ff"),
    "builtin": ("#0b7285", "#5ec8d8"),
}
MAX_COLOURED = 400_000  # characters; beyond it plain text is shown (pygments takes seconds)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of characters of one role, counted as Qt counts."""

    start: int
    length: int
    role: str


def runs(text: str, filename: str) -> list[Run]:
    """The coloured runs of a source text; none for languages pygments does not know."""
    return _runs(text, _lexer(filename.rsplit("/", 1)[-1]))


def runs_in(text: str, language: str) -> list[Run]:
    """Those of a text in a language, as the fence of a block of code names it."""
    return _runs(text, _lexer_of(language)) if language else []


def _runs(text: str, lexer: Lexer | None) -> list[Run]:
    if lexer is None or len(text) > MAX_COLOURED:
        return []
    roles, at = _roles(), Positions(text)
    found = []
    for start, kind, value in lexer.get_tokens_unprocessed(text):
        node: Any = kind
        while node is not None and node not in roles:
            node = node.parent
        if node is not None and value:
            low = at(start)
            found.append(Run(low, at(start + len(value)) - low, roles[node]))
    return found


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        return get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=64)
def _lexer_of(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=1)
def _roles() -> dict[Any, str]:
    from pygments.token import Token as T

    return {
        T.Keyword: "keyword",
        T.Operator.Word: "keyword",
        T.Literal.String: "string",
        T.Literal.Number: "number",
        T.Comment: "comment",
        T.Name.Function: "name",
        T.Name.Class: "name",
        T.Name.Tag: "keyword",
        T.Name.Attribute: "name",
        T.Name.Decorator: "builtin",
        T.Name.Builtin: "builtin",
        T.Name.Namespace: "name",
        T.Generic.Heading: "name",
    }


def colour(role: str, dark: bool) -> QColor:
    """A role's colour."""
    return QColor(COLOURS[role][1 if dark else 0])
