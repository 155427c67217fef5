"""Passages of a file one after another, as the text they were cut from."""

from __future__ import annotations

from collections.abc import Iterable

#: Passages of prose repeat at most so many characters of the one before.
_OVERLAP = 400


def joined(passages: Iterable[str]) -> str:
    """Passages one after another, without what each repeats of the one before."""
    whole: list[str] = []
    for text in passages:
        again = repeated(whole[-1], text) if whole else 0
        whole.append(text[again:] if again else f"\n\n{text}" if whole else text)
    return "".join(whole)


def repeated(before: str, text: str) -> int:
    """How many characters at the start of a passage are the end of the one before."""
    end = before[-_OVERLAP:]
    # A word or two may be chance; a sentence is not.
    return next((n for n in range(min(len(end), len(text)), 19, -1) if end.endswith(text[:n])), 0)
