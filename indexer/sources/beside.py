"""Files that tell of another one beside them: subtitles of a film, XMP of a picture."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from indexer.ledger.records import extension

SUBTITLES = ("srt", "vtt", "ass", "ssa", "sub")
#: By their ending the kinds of files that they tell of.
_TELLS_OF = {"xmp": ("image", "screenshot"), **dict.fromkeys(SUBTITLES, ("video",))}


def tells_of_others(path: str) -> bool:
    """Whether its name says that a file tells of another one."""
    return extension(os.path.basename(path)) in _TELLS_OF


def told_of(path: str, kinds: Mapping[str, str]) -> Iterator[str]:
    """Paths of files that this one may tell of; `kinds`: what files of an ending are."""
    wanted = _TELLS_OF.get(extension(os.path.basename(path)))
    if wanted is None:
        return
    stem = os.path.splitext(path)[0]  # film.en.srt, picture.jpg.xmp
    yield stem
    for base in dict.fromkeys((stem, os.path.splitext(stem)[0])):
        for ending, kind in kinds.items():
            if kind in wanted:
                yield from (f"{base}.{ending}", f"{base}.{ending.upper()}")
