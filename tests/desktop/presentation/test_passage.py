"""The part of a passage that a row shows."""

from __future__ import annotations

import pytest

from desktop.presentation.highlight import runs
from desktop.presentation.passage import Excerpt, code, prose


def marked(excerpt: Excerpt) -> list[str]:
    return [excerpt.text[a:b] for a, b in excerpt.marks]


def test_white_space_is_one_space_and_marks_move_along() -> None:
    text = "  The \n\n certificate\thas   expired. "
    marks = [(text.index("cert"), text.index("cert") + 11), (text.index("exp"), text.index("."))]
    shown = prose(text, marks, 100)
    assert shown.text.strip() == "The certificate has expired."
    assert marked(shown) == ["certificate", "expired"]


def test_a_late_match_is_brought_into_view() -> None:
    text = "word " * 200 + "needle in the haystack" + " more" * 50
    at = text.index("needle")
    shown = prose(text, [(at, at + 6)], 120)
    assert shown.text.startswith("…")
    assert marked(shown) == ["needle"]
    assert shown.text.index("needle") < 60


@pytest.mark.parametrize("text", ["", " ", "\n", "é" * 500, "a" * 5000])
def test_nothing_breaks(text: str) -> None:
    for marks in ([], [(0, len(text))]):
        for shown in (prose(text, marks, 80), code(text, marks, 2)):
            assert all(0 <= a < b <= len(shown.text) for a, b in shown.marks)


def test_code_keeps_lines_and_drops_common_indentation() -> None:
    text = "class A:\n    def needle(self):\n        return 1\n    x = 2\n"
    at = text.index("needle")
    shown = code(text, [(at, at + 6)], 2)
    assert shown.text == "def needle(self):\n    return 1"
    assert marked(shown) == ["needle"]


def test_syntax_runs_cover_what_they_say() -> None:
    text = 'def f(x):\n    return "a"  # note\n'
    found = {(text[r.start : r.start + r.length], r.role) for r in runs(text, "/x/a.py")}
    assert {("def", "keyword"), ("f", "name"), ("# note", "comment")} <= found
    assert runs(text, "/x/unknown.zzz") == []
