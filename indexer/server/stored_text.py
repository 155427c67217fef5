"""Reading an indexed file's text back: all of it, a page, or the passages that hold some lines."""

from __future__ import annotations

from collections.abc import Sequence

from engine.contract.errors import InklingError
from engine.search.passages import joined
from engine.store import Row


def text_of(
    rows: Sequence[Row],
    path: str,
    page: int | None = None,
    lines: tuple[int, int] | None = None,
) -> str:
    """The text of a file's rows (secrets are not in them); InklingError where there is none."""
    chosen = [row for row in rows if _meets(row, page, lines)]
    if rows and not chosen:
        raise InklingError(
            "The index has no text at this place of the file.",
            hint="Read it without page and lines.",
            path=path,
        )
    return joined([row.text for row in chosen])


def _meets(row: Row, page: int | None, lines: tuple[int, int] | None) -> bool:
    if page is not None and row.page != page:
        return False
    if lines is None:
        return True
    return row.lines is not None and row.lines[0] <= lines[1] and lines[0] <= row.lines[1]
