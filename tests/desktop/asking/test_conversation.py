"""What is known of an answer, and what is copied of it: no widget needed."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication

from desktop import theme
from desktop.asking import copying
from desktop.asking.conversation import Conversation
from desktop.asking.writing import BLOCK, Writer
from engine.contract.asking import Citation, Draft, Dropped, Failed, Finished
from engine.contract.errors import InklingError
from tests.desktop.asking.scripts import answer, found, said, source

SOURCES = [
    source(1, "/home/ada/a (old).pdf", "The boat is blue.", page=3),
    source(2, "/home/ada/b.md", "Oars are in the shed.", lines=(4, 9)),
    source(3, "/home/ada/c.md", "Nothing of it."),
]


def filled(*events: object) -> Conversation:
    made = Conversation()
    exchange = made.ask("Which colour?")
    for event in events:
        exchange.take(event)  # type: ignore[arg-type]
    return made


def test_only_proven_sentences_stay() -> None:
    made = filled(found(SOURCES), Draft("The boat"), Draft(" is red. [9]"), Dropped(1))
    exchange = made.exchanges[0]
    assert (exchange.draft, exchange.dropped, exchange.running) == ("", 1, True)
    exchange.take(said("The boat is blue.", 1, before=""))
    exchange.take(Draft(" And"))
    exchange.stop()
    assert exchange.text == "The boat is blue."
    assert exchange.draft == ""
    assert exchange.finished is not None
    assert exchange.finished.ending == "stopped"


def test_the_next_question_takes_along_what_the_answer_rests_on() -> None:
    made = filled(*answer(SOURCES, said("It is blue.", 1, before=""), said("So it is.", 2)))
    made.ask("And the oars?")
    [turn] = made.turns()
    assert (turn.question, turn.answer) == ("Which colour?", "It is blue. So it is.")
    assert turn.units == ("1:0", "2:0")  # not the one that no sentence cites


def test_what_failed_says_why() -> None:
    made = filled(Failed(InklingError("It is out of memory.", hint="Close something.").as_data()))
    error = made.exchanges[0].error
    assert error is not None
    assert (error.message, error.hint) == ("It is out of memory.", "Close something.")
    assert filled(Failed({"strange": 1})).exchanges[0].error is not None


def test_it_is_copied_with_links_and_nothing_else_that_is_live() -> None:
    sentences = (
        said("See [here](https://example.org) and <b>there</b>, `x[0]`.", 1, before=""),
        said("Doubtful.", -2, before="\n\n- "),
    )
    made = filled(*answer(SOURCES, *sentences, dropped=2))
    text = copying.conversation(made.exchanges)
    assert text.startswith("## Which colour?\n\nSee \\[here\\](https://example.org) and \\<b>there")
    assert "`x[0]`" in text
    assert r"[\[1\]](file:///home/ada/a%20%28old%29.pdf#page=3)" in text
    assert r"- Doubtful. [\[2?\]](file:///home/ada/b.md#L4-L9)" in text
    assert "2 sentences had no source." in text
    assert text.rstrip().endswith("2. [b.md, Lines 4–9](file:///home/ada/b.md#L4-L9)")
    assert "c.md" not in text  # nothing rests on it


@pytest.fixture
def written(qapp: QApplication) -> Writer:
    document = QTextDocument(qapp)
    return Writer(document, qapp.font(), theme.of(qapp.palette()))


def lines(writer: Writer) -> list[tuple[str, str]]:
    found, block = [], writer._document.begin()
    while block.isValid():
        found.append((str(block.blockFormat().property(BLOCK)), block.text()))
        block = block.next()
    return found


def test_an_answer_is_set_and_never_followed(written: Writer) -> None:
    text = (
        "# Boats\n\nSome **bold** and [a link](https://example.org) <img src='x'>\n"
        "- one\n2. two\n> quoted\n\n```python\n- no item\n```\n| a | b |\n|---|---|\n"
    )
    written.sentence("", text, (), 0)
    assert lines(written) == [
        ("heading", "Boats"),
        ("text", "Some bold and [a link](https://example.org) <img src='x'>"),
        ("item", "•\tone"),
        ("item", "2.\ttwo"),
        ("quote", "quoted"),
        ("code", "- no item"),
        ("row", "| a | b |"),
    ]
    html = written._document.toHtml()
    assert "<a " not in html
    assert "<img" not in html


def test_a_draft_goes_without_a_trace(written: Writer) -> None:
    written.question("Which?")
    written.sentence("", "It is blue.", (Citation(1, 0.9),), 0)
    before = lines(written)
    for draft in (" And", " And so", " And so\n\n- it", " And so\n\n- it is\n```\ncode"):
        written.tail(draft, "draft")
    assert ("code", "code") in lines(written)
    written.drop_tail()
    assert lines(written) == before
    written.sentence("\n\n", "So it is.", (Citation(2, 0.1, doubtful=True), Citation(3)), 0)
    assert lines(written)[-1] == ("text", "So it is.\u202f\u202f[2?]\u202f[3]")
    assert [(c.number, c.doubtful, c.unread) for c in written.chips] == [
        (1, False, False), (2, True, False), (3, False, True),
    ]  # fmt: skip


def test_a_piece_of_code_has_its_citation_below(written: Writer) -> None:
    written.sentence("", "```\nx = 1\n```", (Citation(1, 0.9),), 0)
    written.sentence(" ", "Then it goes on.", (), 0)
    assert lines(written) == [("code", "x = 1"), ("text", "\u202f\u202f[1] Then it goes on.")]


def test_finished_counts_what_was_dropped() -> None:
    made = filled(found(SOURCES), Finished("complete", dropped=4))
    assert made.exchanges[0].dropped == 4
