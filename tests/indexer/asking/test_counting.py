"""Counting tokens: estimates that are not too low, exact where a server tells, and learnt from."""

from __future__ import annotations

import pytest

from indexer.asking import counting
from indexer.asking.counting import Counter, estimate

#: Texts, and their tokens in vocabularies of 32,000 and 131,072 entries.
MEASURED = (
    ("The flat costs 900 euros a month, the deposit is due on Friday.", 17),
    ("Die Wohnung kostet 900 Euro im Monat, die Kaution ist am Freitag fällig.", 22),
)


@pytest.mark.parametrize(("text", "tokens"), MEASURED)
def test_an_estimate_is_not_too_low(text: str, tokens: int) -> None:
    assert tokens <= estimate(text) <= tokens * 2


@pytest.mark.parametrize("text", ["北京是中华人民共和国的首都", "ราคาห้อง", "😀😀😀", "1234567890"])
def test_scripts_that_are_spelt_letter_by_letter(text: str) -> None:
    assert estimate(text) >= len(text)


def test_a_server_counts_each_text_once() -> None:
    asked = list[str]()

    def ask(text: str) -> int:
        asked.append(text)
        return 7

    counter = Counter()
    count = counter.for_question(ask)
    assert [count("some words"), count("some words"), count("others")] == [7, 7, 7]
    assert counter.for_question(ask)("some words") == 7
    assert asked == ["some words", "others"]


def test_a_slow_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has counted in its time corrects the estimates of the rest."""
    clock = iter(range(100))
    monkeypatch.setattr(counting.time, "monotonic", lambda: float(next(clock)))
    text = "A sentence with as many words as are needed to learn from it. " * 3
    asked = list[str]()

    def ask(text: str) -> int:
        asked.append(text)
        return estimate(text) * 2

    count = Counter().for_question(ask)
    assert count(text) == estimate(text) * 2
    other = text.upper()
    assert estimate(other) * 2 <= count(other) <= estimate(other) * 2.2
    assert asked == [text]


def test_a_server_that_fails_is_not_asked_again() -> None:
    asked = list[str]()

    def ask(text: str) -> None:
        asked.append(text)

    count = Counter().for_question(ask)
    assert count("some words") == estimate("some words")
    assert count("others") == estimate("others")
    assert asked == ["some words"]


def test_what_prompts_took_is_learnt_upwards_at_once() -> None:
    counter = Counter()
    count = counter.for_question(None)
    text = "word " * 200
    counter.correct(count(text), estimate(text) * 2)
    assert count(text) >= estimate(text) * 2
    before = count(text)
    counter.correct(before, estimate(text))
    assert estimate(text) < count(text) < before
    counter.correct(count(text), 10**9)
    assert count(text) < estimate(text) * 4  # nonsense is bounded
