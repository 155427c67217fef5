"""Sentences of a passage, the one that means what is asked, and what every page repeats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.search.running_lines import running_lines
from engine.search.sentences import LONGEST, best_sentence, sentences


def said(text: str, *, by_line: bool = False) -> list[str]:
    return [text[a:b] for a, b in sentences(text, by_line=by_line)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        ("A sentence goes\nover a line. Next.", ["A sentence goes\nover a line.", "Next."]),
        ("Heading\n\nIts text", ["Heading", "Its text"]),
        ("Take:\n• salt\n• water\n2. bake", ["Take:", "• salt", "• water", "2. bake"]),
        ("He said “no.” She left.", ["He said “no.”", "She left."]),
        ("設定を開く。次へ進む。", ["設定を開く。", "次へ進む。"]),
        ("  ", []),
    ],
)
def test_where_sentences_end(text: str, found: list[str]) -> None:
    assert said(text) == found


def test_lines_of_code_and_of_pictures_stand_alone() -> None:
    assert said("Wi-Fi\n  Sound\nQuiet at night", by_line=True) == [
        "Wi-Fi",
        "Sound",
        "Quiet at night",
    ]


@given(st.text(alphabet="ab .!?\n•,;|", max_size=900), st.booleans())
def test_sentences_hold_all_that_is_written_once_and_in_order(text: str, by_line: bool) -> None:
    found = sentences(text, by_line=by_line)
    ends = [0, *(place for span in found for place in span), len(text)]
    assert ends == sorted(ends)
    assert all(0 < b - a <= LONGEST and text[a:b].strip() for a, b in found)
    kept = "".join(text[a:b] for a, b in found)
    assert "".join(kept.split()) == "".join(text.split())


def test_the_nearest_sentence_is_found_whatever_its_length() -> None:
    text = (
        "Clear the tray of all leaves and snow. Leak sensor: propane here. A third one stands here."
    )
    spans = [(m, m + 5) for m in range(0, len(text) - 5, 6)]
    leak = range(40, 65)
    rng = np.random.default_rng(3)
    tokens = rng.normal(size=(len(spans), 16)).astype(np.float32)
    query = rng.normal(size=(2, 16)).astype(np.float32)
    for row, (start, _) in enumerate(spans):
        if start in leak:
            tokens[row] += 2 * query.sum(axis=0)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    found = best_sentence(
        text, sentences(text), query @ tokens.T, np.ones(2, np.float32), tokens,
        np.array(spans, np.int32),
    )  # fmt: skip
    assert found is not None
    assert text[slice(*found)] == "Leak sensor: propane here."


def test_numbers_and_headings_are_no_sentence() -> None:
    tokens = np.eye(2, dtype=np.float32)
    spans = np.array([[0, 3], [8, 12]], np.int32)
    near, weights = np.eye(2, dtype=np.float32), np.ones(2, np.float32)
    text = "2025 | 1\nSound"
    assert best_sentence(text, sentences(text), near, weights, tokens, spans) is None


@pytest.mark.parametrize(
    ("text", "page", "others", "own"),
    [
        ("Own text\n\nHX-40 heat pump · 3 / 5", 3, [], "Own text"),
        ("Own text\n12", 12, [], "Own text"),
        ("Seite 4 von 9\nOwn text", 4, [], "Own text"),
        (
            "Annual report\nOwn text\nmore\n\n- 7 -",
            7,
            [(8, "Annual report\nOther")],
            "Own text\nmore",
        ),
        ("Own text\nGDPR, April 1", 2, [(3, "Else\nGDPR, April 9")], "Own text"),
        ("Figure 3\nOwn text", 5, [], "Figure 3\nOwn text"),  # another number than the page's
        ("Own text\n12", None, [], "Own text\n12"),  # not of a page
        ("Own text\nSame", 1, [(1, "Own text\nSame")], "Own text\nSame"),  # the page itself
        ("Page 3", 3, [], "Page 3"),  # nothing would be left
        ("", 3, [], ""),
    ],
)
def test_what_every_page_repeats_is_not_its_own(
    text: str, page: int | None, others: list[tuple[int | None, str]], own: str
) -> None:
    start, end = running_lines(text, page, others)
    assert text[start:end].strip() == own
