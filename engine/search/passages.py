"""Passages of a file one after another, as the text they were cut from."""

from __future__ import annotations

from collections.abc import Iterable

#: Passages of prose repeat at most so many characters of the one before.
_OVERLAP = 400
#: And so many at least: a word or two may be chance, a sentence is not.
_LEAST = 20


def joined(passages: Iterable[str]) -> str:
    """Passages one after another, without what each repeats of the one before."""
    whole: list[str] = []
    for text in passages:
        again = repeated(whole[-1], text) if whole else 0
        whole.append(text[again:] if again else f"\n\n{text}" if whole else text)
    return "".join(whole)


def repeated(before: str, text: str) -> int:
    """How many characters at the start of a passage are the end of the one before."""
    end, begins = before[-_OVERLAP:], text[:_LEAST]
    if len(begins) < _LEAST:
        return 0
    at = end.find(begins)
    while at >= 0:
        if text.startswith(end[at:]):
            return len(end) - at
        at = end.find(begins, at + 1)
    return 0
