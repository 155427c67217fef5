"""Reading an indexed file's text back: all of it, a page, or the passages that hold some lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.contract.errors import InklingError
from engine.store import Row

#: Passages of prose repeat at most so many characters of the one before.
_OVERLAP = 400


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


def joined(passages: Iterable[str]) -> str:
    """Passages one after another, without what each repeats of the one before."""
    whole: list[str] = []
    for text in passages:
        repeated = _repeated(whole, text)
        whole.append(text[repeated:] if repeated else f"\n\n{text}" if whole else text)
    return "".join(whole)


def _repeated(whole: Sequence[str], text: str) -> int:
    """How many characters at the start of a passage are the end of the one before."""
    if not whole:
        return 0
    end = whole[-1][-_OVERLAP:]
    # A word or two may be chance; a sentence is not.
    return next((n for n in range(min(len(end), len(text)), 19, -1) if end.endswith(text[:n])), 0)
