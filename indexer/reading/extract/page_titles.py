"""What a page is about, from its first line of its own: "Consolidated statements of cash flows".

The further passages of a page do not repeat it: without it a table's lower half is only numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

#: Where a page's title is looked for, below its running headers.
FIRST_LINES = 14
LONGEST = 90
#: A line on more pages than this (and on more than two) is a running header.
RUNNING_SHARE = 0.1

_WORD = re.compile(r"[^\W\d_]{3,}")
_DIGITS = re.compile(r"\d+")


def page_titles(texts: Sequence[str]) -> list[str]:
    """The title of each page, "" where its first own line looks like none."""
    tops = [_top(text) for text in texts]
    seen = Counter(key for top in tops for key in {_key(line) for line in top})
    running = {key for key, count in seen.items() if count > max(2, RUNNING_SHARE * len(texts))}
    return [_title(line for line in top if _key(line) not in running) for top in tops]


def _top(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return list(islice((line for line in lines if line), FIRST_LINES))


def _key(line: str) -> str:
    """Headers that count pages are one header."""
    return _DIGITS.sub("#", line.casefold())


def _title(own: Iterable[str]) -> str:
    """The first of a page's own lines that has words; a line of running text or numbers ends it."""
    line = next((line for line in own if _WORD.search(line)), "")
    digits = sum(map(str.isdigit, line))
    running_text = line[:1].islower() or line.endswith((",", ";")) or len(line) > LONGEST
    return "" if running_text or digits > len(line) / 3 else line
