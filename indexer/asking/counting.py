"""Counting tokens as a model does: by its server where that tells, else estimated with care."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

#: Seconds of one question that go to counting by the server; the rest is estimated from that.
_COUNTING_S = 0.08
#: Texts whose exact count is kept; follow-up questions have the same ones.
_MOST_KEPT = 4_096
#: Of an estimate that a server's own counts have corrected.
_MARGIN = 1.05
_LEAST_RATIO, _MOST_RATIO = 0.4, 3.0
#: Tokens a letter takes, by script: of twenty texts (prose in 16 languages, code, JSON, numbers)
#: none takes more than a tenth above its estimate, measured with a vocabulary of 32,000 entries
#: (Mistral's of 2023, LLaMA's kind) and one of 131,072 (Tekken). The first decides: scripts that it
#: spells letter by letter take less than half of that in newer ones.
_WEIGHTS = (
    (re.compile(r"[A-Za-z]"), 0.30),
    (re.compile(r"[0-9]"), 1.15),
    (re.compile(r"[^\w\s]"), 1.0),
    (re.compile(r"\s"), 0.2),
    (re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]"), 2.2),
    (re.compile(r"[\u0400-\u052f]"), 0.42),
    (re.compile(r"[\u0370-\u03ff\u0590-\u06ff]"), 1.1),
)
_REST = 1.3


def estimate(text: str) -> int:
    """Tokens at most, as vocabularies of 32,000 entries and more have them."""
    left, tokens = len(text), 1.0
    for letters, weight in _WEIGHTS:
        count = len(letters.findall(text))
        tokens += weight * count
        left -= count
    return int(tokens + _REST * left + 0.999)


class Counter:
    """Tokens of texts for one model. Thread-safe; exact where the server answers soon enough."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, int] = OrderedDict()
        self._ratio = 1.0  # of a true count to an estimate
        self._known = False

    def for_question(self, ask: Callable[[str], int | None] | None) -> Callable[[str], int]:
        """What counts for one question; `ask` gives the server's count, None where it fails."""
        left = _COUNTING_S

        def count(text: str) -> int:
            nonlocal left, ask
            key = hashlib.sha1(text.encode("utf-8", "replace"), usedforsecurity=False).digest()
            with self._lock:
                if (known := self._kept.get(key)) is not None:
                    self._kept.move_to_end(key)
                    return known
            if ask is not None and left > 0:
                before = time.monotonic()
                found = ask(text)
                left -= time.monotonic() - before
                if found is None:
                    ask = None
                else:
                    self._keep(key, found)
                    self.learn(estimate(text), found)
                    return found
            with self._lock:
                return max(1, round(estimate(text) * self._factor))

        return count

    @property
    def _factor(self) -> float:
        return self._ratio * (_MARGIN if self._known else 1.0)

    def correct(self, counted: int, taken: int) -> None:
        """A prompt that was counted as so many tokens took so many. Fewer than were estimated are
        not believed: some servers leave out what they had read before."""
        with self._lock:
            estimated = round(counted / self._factor)
        self.learn(estimated, max(estimated, taken))

    def learn(self, estimated: int, counted: int) -> None:
        """What was estimated has turned out to be so many: upwards at once, downwards by half."""
        if estimated < 16 or counted < 1:
            return
        seen = min(max(counted / estimated, _LEAST_RATIO), _MOST_RATIO)
        with self._lock:
            half = (self._ratio + seen) / 2
            self._ratio = max(seen, half) if self._known else seen
            self._known = True

    def _keep(self, key: bytes, count: int) -> None:
        with self._lock:
            self._kept[key] = count
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
