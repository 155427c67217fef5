"""Where a result matched: regions of its page or picture, runs of its passage."""

from __future__ import annotations

from collections.abc import Callable

from engine.contract.types import Box, BoxEvidence, Hit, TextEvidence


def boxes(hit: Hit, page: int | None = None) -> list[tuple[Box, str]]:
    """The regions that matched, with the query word of each; for `page` only, where given."""
    return [
        (e.box, e.word)
        for e in hit.evidence
        if isinstance(e, BoxEvidence) and (page is None or e.page is None or e.page == page)
    ]


def marks(hit: Hit) -> list[tuple[int, int]]:
    """The runs of the snippet that matched a word, sorted, overlaps joined."""
    return _joined(hit, lambda word: bool(word))


def tints(hit: Hit) -> list[tuple[int, int]]:
    """The sentences of the snippet that mean what was asked, whatever words they say it with."""
    return _joined(hit, lambda word: not word)


def _joined(hit: Hit, wanted: Callable[[str], bool]) -> list[tuple[int, int]]:
    spans = sorted(
        (e.start, min(e.end, len(hit.snippet)))
        for e in hit.evidence
        if isinstance(e, TextEvidence) and wanted(e.word)
    )
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def boxes_shown(hit: Hit, page: int | None) -> list[tuple[Box, str]]:
    """The regions that matched on a page that is shown; none on pages that were turned to."""
    first = hit.location.page
    return [
        (e.box, e.word)
        for e in hit.evidence
        if isinstance(e, BoxEvidence) and (page is None or (e.page or first) == page)
    ]


def matched_text(hit: Hit) -> list[str]:
    """The runs of the passage that matched, as they stand in it."""
    return [hit.snippet[e.start : e.end] for e in hit.evidence if isinstance(e, TextEvidence)]
