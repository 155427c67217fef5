"""Places of words as Qt counts them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.presentation.positions import Positions, places


@given(st.text(alphabet="aé😀\n𝔘 ", max_size=30))
def test_positions_are_those_of_utf_16(text: str) -> None:
    at = Positions(text)
    for index in range(len(text) + 1):
        assert at(index) == len(text[:index].encode("utf-16-le")) // 2
        assert at.index(at(index)) == index


def test_runs_are_found_whatever_stands_between_their_words() -> None:
    text = "One **two**\nthree. İki ONE two"
    assert [text[a:b] for a, b in places(text, ["one two", " one  two ", "", "…"])] == [
        "One **two",
        "ONE two",
    ]
    assert list(places(text, ["one two"], 5)) == [(23, 30)]
    assert list(places(text, ["one two"], 5, 28)) == []
    assert list(places("a ++ b ++", ["++"])) == [(2, 4), (7, 9)]
