"""Numbers: each way to write one finds the others."""

from __future__ import annotations

import pytest

from engine.search.number_forms import numbers
from engine.store.analyzer import analyze
from engine.store.term_groups import are_adjacent


def finds(question: str, document: str) -> bool:
    terms = " ".join(analyze(f"before {document} after"))
    found = list(numbers(question))
    assert len({(number.start, number.end) for number in found}) == 1
    ways = [variant.terms for number in found for variant in number.variants]
    return any(are_adjacent(way, terms) for way in (*ways, found[0].own))


AMOUNTS = ("1,234.50", "1.234,50", "1234.50", "1234,50", "1 234,50", "1 234.50", "1_234.50")
WHOLE = ("4075", "4,075", "4.075", "4 075", "4’075")
ACCOUNTS = ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000")
DAYS = ("2024-03-05", "05.03.2024", "5.3.2024", "5 March 2024")


@pytest.mark.parametrize("ways", [AMOUNTS, WHOLE, ACCOUNTS, DAYS], ids=lambda ways: ways[0])
def test_each_finds_the_others(ways: tuple[str, ...]) -> None:
    asked = [way for way in ways if list(numbers(way))]
    assert len(asked) >= len(ways) - 1  # a month's name is a word
    assert [(a, b) for a in asked for b in ways if not finds(a, b)] == []


def test_a_number_is_no_other() -> None:
    assert not finds("1234.50", "1234.51")
    assert not finds("4075", "40750")
    assert not finds("4075", "4 076")
    assert not finds("251,50", "50 and 251")


def test_parts_of_a_longer_one_are_not_numbers_of_their_own() -> None:
    assert [(n.start, n.end) for n in numbers("pay DE89 3704 0044 0532 0130 00 now")] == [(4, 31)]
    assert {(n.start, n.end) for n in numbers("on 2024-03-05")} == {(3, 13)}
    assert list(numbers("E21 in room 12, v2.0.1-rc")) == []
