"""What goes into a prompt is chosen by what each unit adds for its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from engine.asking.candidates import Candidate
from engine.asking.choosing import MOST, choose
from engine.contract.kinds import Kind
from engine.contract.types import FileFacts
from engine.search.query_run import QueryRun
from engine.store import Row

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa")


def text(seed: int, words: int = 30) -> str:
    """Other words for each seed, the same for the same."""
    return " ".join(f"{WORDS[(seed * 7 + n) % len(WORDS)]}{seed}x{n}" for n in range(words))


def unit(
    file_id: int,
    ordinal: int,
    said: str,
    relevance: float,
    *,
    kind: Kind = "note",
    page: int | None = None,
    symbol: str | None = None,
) -> Candidate:
    facts = FileFacts(file_id, f"/f{file_id}", kind, None, "", 1.0, 1)
    unit_id = f"{file_id}:{ordinal}"
    row = Row(unit_id, facts, kind, said, "", page, None, symbol, None, None)
    return Candidate(row, relevance, file_id, cast("QueryRun", None))


class Tokens:
    """A word is a token, a heading ten."""

    def about(self, row: Row) -> float:
        return self.exact(row, headed=True)

    def exact(self, row: Row, *, headed: bool) -> int:
        return len(row.text.split()) + 10 * headed


def chosen(
    candidates: Sequence[Candidate], budget: int, others: Sequence[Candidate] = ()
) -> list[str]:
    rows = {one.row.unit_id: one.row for one in [*candidates, *others]}

    def known(ids: Sequence[str]) -> dict[str, Row]:
        return {unit_id: rows[unit_id] for unit_id in ids if unit_id in rows}

    return [one.row.unit_id for one in choose(candidates, Tokens(), known, budget)]


def test_the_most_relevant_come_first_and_what_does_not_fit_is_left_out() -> None:
    found = [unit(n, 0, text(n), 0.9 - n / 10) for n in range(5)]
    assert chosen(found, 85) == ["0:0", "1:0"]
    large = unit(9, 0, text(9, 400), 0.95)
    assert chosen([large, *found], 85) == ["0:0", "1:0"]
    assert chosen([], 85) == []


def test_what_is_said_already_adds_nothing() -> None:
    same = [unit(n, 0, text(1), 0.9) for n in range(8)]
    assert len(chosen([*same, unit(20, 0, text(2), 0.3)], 500)) == 2


def test_no_ten_passages_of_one_page() -> None:
    page = [unit(1, 2 * n, text(n), 0.8, kind="pdf", page=3) for n in range(10)]
    others = [unit(10 + n, 0, text(20 + n), 0.5) for n in range(10)]
    told = chosen([*page, *others], 400)
    assert sum(one.startswith("1:") for one in told) <= 3
    assert len(told) == 10


def test_pages_of_a_long_report_count_each_by_itself_and_sections_of_a_file_do_not() -> None:
    report = [unit(1, 2 * n, text(n), 0.8, kind="pdf", page=n + 1) for n in range(8)]
    others = [unit(10 + n, 0, text(20 + n), 0.5) for n in range(8)]
    assert chosen([*report, *others], 320) == [one.row.unit_id for one in report]
    note = [unit(1, 2 * n, text(n), 0.8) for n in range(8)]
    assert sum(one.startswith("1:") for one in chosen([*note, *others], 320)) <= 4


def test_neighbours_of_a_good_passage_join_it_where_they_fit() -> None:
    function = [unit(1, n, text(n), 0.9, kind="code", symbol="send") for n in range(3)]
    other = unit(1, 3, text(3), 0.9, kind="code", symbol="other")
    told = chosen(function[1:2], 500, [*function, other])
    assert sorted(told) == ["1:0", "1:1", "1:2"]
    assert chosen(function[1:2], 45, function) == ["1:1"]
    prose = [unit(2, 0, text(1), 0.9), unit(2, 1, text(2), 0.9)]
    assert chosen(prose[:1], 500, prose) == ["2:0"]  # nothing shows that it goes on
    cut = unit(2, 1, f"{text(1)[-40:]} {text(2)}", 0.9)
    assert chosen(prose[:1], 500, [prose[0], cut]) == ["2:0", "2:1"]


def test_what_hardly_answers_is_left_out_however_much_room_there_is() -> None:
    found = [unit(0, 0, text(0), 0.9), unit(1, 0, text(1), 0.001)]
    assert chosen(found, 100_000) == ["0:0"]
    many = [unit(n, 0, text(n), 0.9) for n in range(80)]
    assert len(chosen(many, 100_000)) == MOST
