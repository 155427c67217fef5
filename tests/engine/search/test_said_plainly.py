"""What is made quick in evidence says the same as what is said plainly."""

from __future__ import annotations

import re
from itertools import takewhile

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.search.evidence import Match, _whole_words, late_matches
from engine.search.running_lines import _COUNTED, EDGE, LONGEST, _key, running_lines
from engine.search.sentences import best_sentence

PAGES = st.lists(st.sampled_from(["", " ", "Page 3", "Ledger", "3 / 5", "a", "b  b", "x" * 95]))


@given(PAGES.map("\n".join), st.lists(PAGES.map("\n".join), max_size=3))
def test_running_lines_are_those_of_all_lines(text: str, pages: list[str]) -> None:
    def edges(page: str) -> set[str]:
        lines = [line.strip() for line in page.split("\n") if line.strip()]
        return {_key(line) for line in (*lines[:EDGE], *lines[-EDGE:]) if len(line) <= LONGEST}

    known = {key for page in pages for key in edges(page)}
    counted = re.compile(_COUNTED.format(page=3), re.IGNORECASE)
    lines = [m for m in re.finditer(r"[^\n]+", text) if m[0].strip()]

    def runs(line: re.Match[str]) -> bool:
        said = line[0].strip()
        return len(said) <= LONGEST and (_key(said) in known or bool(counted.search(said)))

    edge = min(EDGE, len(lines) // 2)
    first = len(list(takewhile(runs, lines[:edge])))
    last = len(list(takewhile(runs, lines[: -edge - 1 : -1])))
    own = lines[first : len(lines) - last]
    expected = (own[0].start(), own[-1].end()) if own else (0, len(text))
    others = [(None, "Ledger"), (3, "Ledger"), *((n + 4, page) for n, page in enumerate(pages))]
    assert running_lines(text, 3, others) == expected


COSINES = arrays(np.float32, (4, 6), elements=st.floats(-1, 1, width=32))
TEXT = "One sentence stands here. Another one is there. The third says more words."
SPANS = np.array([(0, 3), (4, 12), (26, 33), (41, 46), (48, 51), (-1, -1)], np.int32)


@given(COSINES, st.sampled_from([["one", "the", "", "words"], ["", "a", "the", "of"]]))
def test_words_that_mean_the_same_are_those_of_each_row(
    similarities: np.ndarray[tuple[int, int], np.dtype[np.float32]], words: list[str]
) -> None:
    expected = []
    for row, word in zip(similarities, words, strict=True):
        best = int(row.argmax())
        start, end = SPANS[best].tolist()
        telling = word in ("one", "words") or (word and "one" not in words)
        if telling and start >= 0 and row[best] >= 0.5:
            weight = float(row[best]) * 0.6
            expected += [Match(a, b, word, weight) for a, b in _whole_words(TEXT, start, end)]
    assert late_matches(TEXT, similarities, SPANS, words, 0.5) == expected


@given(COSINES, st.permutations(range(6)))
def test_the_best_sentence_does_not_hang_on_the_order_of_tokens(
    similarities: np.ndarray[tuple[int, int], np.dtype[np.float32]], order: list[int]
) -> None:
    found = [(0, 25), (26, 47), (48, 74)]
    weights = np.full(4, 0.25, np.float32)
    tokens = np.eye(6, 8, dtype=np.float32)
    given_ = best_sentence(TEXT, found, similarities, weights, tokens, SPANS)
    shuffled = best_sentence(
        TEXT, found, similarities[:, order], weights, tokens[order], SPANS[order]
    )
    assert given_ in found
    near = [similarities[:, a:b] for a, b in ((0, 2), (2, 4), (4, 5))]
    by_word = np.array([weights @ part.max(axis=1) for part in near])
    whole = np.array([weights @ part.sum(axis=1) / np.sqrt(part.shape[1]) for part in near])
    spread = [(v - v.mean()) / max(float(v.std()), 1e-6) for v in (by_word, whole)]
    total = spread[0] + spread[1]
    for chosen in (given_, shuffled):  # but for what rounding makes equal
        assert chosen is not None
        assert total[found.index(chosen)] >= total.max() - 1e-2
