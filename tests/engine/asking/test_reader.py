"""What a model writes is shown where it is proven, and dropped and counted where it is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.asking.reader import AnswerReader
from engine.contract.asking import Citation, Draft, Dropped, Event, Sentence
from engine.contract.errors import InklingError
from tests.engine.asking.test_pieces import WHOLE, chunked, letters


class Known:
    """Sources 1 to 3; what says "doubt" is doubtful, and PWNED stands nowhere."""

    failed: InklingError | None = None
    numbers = (1, 2, 3)

    def proof(self, text: str, numbers: Sequence[int]) -> list[Citation]:
        return [Citation(n, 0.5, "doubt" in text) for n in numbers]

    def held(self, text: str, numbers: Sequence[int], *, asked: bool = False) -> float:
        return float("PWNED" not in text) if asked else float("x = a" in text)


def answer(*chunks: str) -> tuple[list[Event], AnswerReader]:
    reader = AnswerReader(Known())
    events = [event for chunk in chunks for event in reader.read(chunk)]
    return events + reader.end(), reader


def told(events: Sequence[Event]) -> list[tuple[str, str, tuple[int, ...]] | int]:
    """Sentences with what stands before them and their numbers, and counts of what was dropped."""
    return [
        (e.before, e.text, tuple(c.number for c in e.citations))
        if isinstance(e, Sentence)
        else e.count
        for e in events
        if isinstance(e, Sentence | Dropped)
    ]


def said(*chunks: str) -> list[tuple[str, str, tuple[int, ...]] | int]:
    return told(answer(*chunks)[0])


def test_a_sentence_is_drafted_and_then_stands_with_its_proof() -> None:
    events, reader = answer("The rent ", "is due [1]", ". I doubt it [2][9]. ", "No. ", "So.")
    assert events == [
        Draft("The rent "),
        Draft("is due [1]"),
        Sentence("The rent is due.", "", (Citation(1, 0.5),)),
        Draft(" I doubt it [2][9]. "),
        Sentence("I doubt it.", " ", (Citation(2, 0.5, True),)),
        Draft(" No. "),
        Dropped(1),
        Draft(" So."),
        Dropped(2),
    ]
    assert (reader.dropped, reader.doubtful) == (2, 1)


def test_what_cites_nothing_that_there_is_is_dropped() -> None:
    assert said("One. Two [7]. Three [0]. Four [2]. 5 [99]") == [
        1,
        2,
        3,
        ("", "Four.", (2,)),
        4,
    ]


def test_headings_and_lines_that_lead_stand_with_what_they_lead_to() -> None:
    assert said("## Rent\n\nIt is due:\n\n- on the third [1]\n- never\n\n## Other\n\nNo.") == [
        ("## ", "Rent", (1,)),
        ("\n\n", "It is due:", (1,)),
        ("\n\n- ", "on the third", (1,)),
        1,
        2,
        3,
    ]
    assert said("PWNED:\n\nNo. This is so [1].") == [1, 2, ("", "This is so.", (1,))]


def test_a_table_stands_row_by_row() -> None:
    table = "| Name | Days |\n|--|--|\n| lease | 30 [2] |\n| other | 9 |\n"
    assert said(table) == [("", "Name | Days", (2,)), ("\n", "lease | 30", (2,)), 1]


def test_code_stands_where_its_source_holds_it() -> None:
    assert said("```py\nx = a[1]\n```\n[2]\n") == [("", "x = a[1]", (2,))]
    assert said("Do this [1]:\n```\nx = a\n```\n") == [
        ("", "Do this:", (1,)),
        ("\n", "x = a", (1,)),
    ]
    assert said("Do this [1]:\n```\nrm -rf /\n```\n") == [("", "Do this:", (1,)), 1]
    assert said("It is so [1].\n```\nx = a\n```\n") == [("", "It is so.", (1,)), 1]
    assert said("```tool_code\nx = a\n```\n[1]") == []


@pytest.mark.parametrize(
    "text",
    [
        "PWNED",
        '{"answer": "It is so [1].", "sources": [1]}',
        '[{"a": "x [1]"}]',
        "```json\n{}\n```\n[1]",
        "<tool_call>{}</tool_call>",
        "[1]",
        "Sources: [1], [2]",
        "[1]: http://evil\n[2]: b.pdf",
        "---\n***\n",
        '"answer": "so [1]"',
        "{\n  'a': 1 [1]\n}",
    ],
)
def test_another_form_than_sentences_is_dropped(text: str) -> None:
    assert [one for one in said(text) if not isinstance(one, int)] == []


def test_sentences_that_look_like_data_and_are_none_stand() -> None:
    assert said("<answer>It is so [1]</answer>") == [("", "It is so", (1,))]
    assert said('"Really?" is said [1]. [Draft] it says [2]. {x} is a set [3].') == [
        ("", '"Really?" is said.', (1,)),
        (" ", "[Draft] it says.", (2,)),
        1,
    ]


def test_what_stood_before_a_dropped_piece_is_kept() -> None:
    assert said("One [1].\n\n- Two. Three [2].") == [
        ("", "One.", (1,)),
        1,
        ("\n\n- ", "Three.", (2,)),
    ]


def test_nothing_in_drafts_opens() -> None:
    events, _ = answer(*"See ![x](http://evil/?q=1) <img src=y> [a][b]")
    drafts = "".join(e.text for e in events if isinstance(e, Draft))
    assert drafts == "See ![x]http:/evil/?q=1) img src=y [a]b]"


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=60))
@example(list(range(len(WHOLE))))
def test_however_an_answer_streams_it_says_the_same(cuts: list[int]) -> None:
    chunks = chunked(WHOLE, cuts)
    assert said(*chunks) == said(WHOLE)
    reader, since, fed = AnswerReader(Known()), "", ""
    for chunk in chunks:
        fed += chunk
        for event in reader.read(chunk):
            since = since + event.text if isinstance(event, Draft) else ""
        assert letters(since) in letters(fed)  # what is drafted is what was read


def test_letters_that_join_and_line_ends_are_the_same_however_they_are_cut() -> None:
    text = "می\u200cخواهم\r\nso [1].\r\npass\u200cword [2].\r\n"
    whole = said(text)
    assert said(*text) == whole
    assert whole == [("", "می\u200cخواهم so.", (1,)), ("\n", "password.", (2,))]


def test_a_long_answer_without_a_sentence_is_read_in_time_with_its_length() -> None:
    reader = AnswerReader(Known())
    for _ in range(20_000):
        reader.read('{"a.b": 1.5, ')
    assert isinstance(reader.end()[-1], Dropped)
