"""Evidence: matched words, snippet windows, boxes only where they point somewhere."""

import numpy as np
import pytest

from engine.search import evidence
from engine.search.evidence import Match


def spans(text: str, query: str) -> list[str]:
    return [text[m.start : m.end] for m in evidence.WordMatches(query).of(text)]


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("Uploads are retried", "retry the upload", ["Uploads", "retried"]),
        ("def getUserName(): pass", "user name", ["getUserName"]),
        ("nothing of the kind", "zebra", []),
        ("bring it to the air pump, to keep", "air-to-water", ["air"]),
        ("Änderung der Größe", "ANDERUNG", ["Änderung"]),
    ],
)
def test_words_that_share_an_index_token(text: str, query: str, found: list[str]) -> None:
    assert spans(text, query) == found


def test_glue_words_are_marked_only_alone() -> None:
    text = "the money is from the bank"
    assert spans(text, "the money from a bank") == ["money", "bank"]
    assert spans(text, "from the") == ["the", "from", "the"]


def test_script_without_spaces_matches_by_runs() -> None:
    assert "設定" in "".join(spans("新しい設定を開く", "設定画面"))


def test_snippet_holds_most_of_the_matched_words() -> None:
    text = "lorem ipsum " * 60 + "the certificate has expired today " + "dolor sit " * 60
    matches = evidence.WordMatches("expired certificate").of(text)
    start, end = evidence.snippet_window(text, matches)
    assert end - start <= evidence.SNIPPET_CHARS
    assert "certificate has expired" in text[start:end]
    marked = evidence.text_evidence(matches, start, end)
    assert [text[start:end][e.start : e.end] for e in marked] == ["certificate", "expired"]


def test_short_text_is_its_own_snippet() -> None:
    assert evidence.snippet_window("short", []) == (0, 5)


def test_overlapping_matches_are_marked_once() -> None:
    marked = evidence.text_evidence([Match(0, 5, "a", 1.0), Match(3, 8, "b", 1.0)], 0, 20)
    assert [(e.start, e.end) for e in marked] == [(0, 5)]


def test_boxes_lie_under_the_matches() -> None:
    word_spans = np.array([[0, 5], [6, 11]], dtype=np.int32)
    boxes = np.array([[0, 0, 65535, 6553], [0, 32768, 65535, 65535]], dtype=np.uint16)
    found = evidence.box_evidence([Match(6, 11, "word", 1.0)], word_spans, boxes, page=3)
    assert len(found) == 1
    assert found[0].page == 3
    assert found[0].box == pytest.approx((0.0, 0.5, 1.0, 1.0), abs=1e-3)


def test_matches_everywhere_point_nowhere() -> None:
    count = evidence.MAX_BOXES + 1
    word_spans = np.array([[i, i + 1] for i in range(count)], dtype=np.int32)
    boxes = np.array([[i, 0, i + 1, 9] for i in range(count)], dtype=np.uint16)
    matches = [Match(i, i + 1, "x", 1.0) for i in range(count)]
    assert evidence.box_evidence(matches, word_spans, boxes, None) == []


def test_late_matches_need_nearness_and_a_place() -> None:
    similarities = np.array([[0.9, 0.1], [0.2, 0.95], [0.3, 0.2]], dtype=np.float32)
    token_spans = np.array([[0, 4], [-1, -1]], dtype=np.int32)
    words = ["cat", "dog", "cow"]
    found = evidence.late_matches("cats and dogs", similarities, token_spans, words, 0.72)
    assert [(m.start, m.end, m.word) for m in found] == [(0, 4, "cat")]


def test_late_matches_are_whole_words_that_say_something() -> None:
    text = "until it is certified"
    similarities = np.array([[0.9, 0.1], [0.1, 0.95]], dtype=np.float32)
    token_spans = np.array([[0, 8], [12, 14]], dtype=np.int32)
    found = evidence.late_matches(text, similarities, token_spans, ["finish", "certificate"], 0.72)
    assert [(text[m.start : m.end], m.word) for m in found] == [("certified", "certificate")]


@pytest.mark.parametrize(
    ("question", "telling"),
    [
        ("retry upload until it works", ["retry", "upload", "works"]),
        ("why did something break", ["break"]),
        ("warum geht beim Drucken nichts", ["geht", "Drucken"]),
        ("until it", ["until", "it"]),
    ],
)
def test_words_that_only_join_are_no_evidence(question: str, telling: list[str]) -> None:
    assert list(evidence.telling_words(question)) == telling


def test_the_share_of_what_is_asked_goes_by_weight() -> None:
    words, weights = ["", "why", "boiler", "boiler", "loud"], [0.7, 1.0, 3.0, 3.0, 1.0]
    assert evidence.said_share([], words, weights) == 0.0
    assert evidence.said_share([Match(0, 6, "Boiler", 1.0)], words, weights) == 0.75
    assert evidence.said_share([], ["", "the"], [1.0, 1.0]) == 0.0


def test_a_snippet_is_of_the_part_that_is_given() -> None:
    text = "Handbook 2026\n" + "word " * 100 + "boiler\nPage 3"
    own = (14, len(text) - 7)
    matches = evidence.WordMatches("boiler").of(text)
    start, end = evidence.snippet_window(text, matches, own)
    assert own[0] <= start < end <= own[1]
    assert "boiler" in text[start:end]
    assert evidence.snippet_window("Top\nbody\nEnd", [], (4, 8)) == (4, 8)


def test_a_sentence_has_a_box_for_each_line_it_stands_on() -> None:
    word_spans = np.array([[0, 4], [5, 9], [10, 14], [15, 19]], dtype=np.int32)
    boxes = np.array(
        [
            [100, 100, 900, 400],
            [1000, 110, 1900, 410],
            [100, 500, 800, 800],
            [20000, 500, 21000, 800],
        ],
        dtype=np.uint16,
    )
    found = evidence.line_boxes((5, 19), word_spans, boxes, 2)
    assert [tuple(round(x * 65535) for x in one.box) for one in found] == [
        (1000, 110, 1900, 410),
        (100, 500, 800, 800),
        (20000, 500, 21000, 800),  # far away on the same height: another column
    ]
    assert {one.page for one in found} == {2}
    whole = evidence.line_boxes((0, 9), word_spans, boxes, 2)
    assert [tuple(round(x * 65535) for x in one.box) for one in whole] == [(100, 100, 1900, 410)]


def test_words_of_tokens() -> None:
    token_spans = np.array([[-1, -1], [0, 3], [3, 6], [7, 10]], dtype=np.int32)
    assert evidence.words_of_tokens("foobar baz", token_spans) == ["", "foobar", "foobar", "baz"]
