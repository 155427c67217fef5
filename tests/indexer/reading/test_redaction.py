"""Secrets are taken out of what a file gave, and nothing else is."""

from __future__ import annotations

import pytest

from engine.contract.types import WITHHELD, Unit, WordBox
from indexer.reading import redaction
from indexer.reading.chunking import units_of
from indexer.reading.extract.base import Extraction, OcrPage, Part
from indexer.reading.redaction import (
    TooManySecretsError,
    redact,
    redact_page,
    redact_units,
    says_something,
)
from tests.indexer.reading.test_secrets import private_key

KEY = "AKIAQYLPMN5HFIQR7XYA"


def boxed(text: str) -> list[WordBox]:
    """Each word with a box that tells its number."""
    boxes, at = [], 0
    for number, word in enumerate(text.split()):
        start = text.index(word, at)
        at = start + len(word)
        boxes.append(WordBox(start, at, (number / 10, 0.0, 0.1, 0.1)))
    return boxes


def test_the_other_words_stay_where_they_stand() -> None:
    text = f"the key {KEY} opens the boathouse"
    page = Part(text, page=2, words=boxed(text), image="2.png", thumb="2.webp")
    other = Part("nothing here", page=3, image="3.png", thumb="3.webp")
    assert redact(Extraction("pdf", [page, other])) == ["AWS Access Key"]
    assert page.text == f"the key {WITHHELD} opens the boathouse"
    said = {page.text[w.start : w.end]: w.box[0] for w in page.words}
    assert said == {"the": 0.4, "key": 0.1, "opens": 0.3, "boathouse": 0.5}
    assert (page.image, page.thumb) == (None, None)  # they can be read
    assert (other.text, other.image, other.thumb) == ("nothing here", "3.png", "3.webp")


def test_a_key_of_many_lines_leaves_as_many_lines() -> None:
    text = f"How to log in.\n{private_key()}\nThat is all."
    part = Part(text, lines=(1, 1 + text.count("\n")))
    assert redact(Extraction("note", [part])) == ["Private Key"]
    assert part.text.split() == ["How", "to", "log", "in.", WITHHELD, "That", "is", "all."]
    (unit,) = units_of(Extraction("note", [part]), 1, "/a/b.md", "/a")
    assert unit.lines == (1, 1 + text.count("\n"))


def test_what_one_place_tells_is_taken_from_all_others() -> None:
    named, alone = Part('DB_PASSWORD="kX9#mmQ2!vb"'), Part("it was kX9#mmQ2!vb again")
    headed = Part("see above", heading=("Ways in", "kX9#mmQ2!vb"), symbol="kX9#mmQ2!vb")
    extraction = Extraction(
        "note", [named, alone, headed], title="kX9#mmQ2!vb", attributes={"place": "kX9#mmQ2!vb"}
    )
    assert len(redact(extraction)) == 2
    assert "kX9" not in repr(extraction)
    assert alone.text == f"it was {WITHHELD} again"


def test_a_secret_that_only_the_joined_passage_shows() -> None:
    unit = Unit(1, 0, "note", "password:\nTr0ub4dor&3 and more", context="password: Tr0ub4dor&3")
    assert redact_units([unit])[0][0].context == f"password: {WITHHELD}"
    together = Unit(1, 0, "note", "password: Tr0ub4dor&3 and more")
    (clean,), found = redact_units([together])
    assert (clean.text, found) == (f"password: {WITHHELD} and more", ["Password or Key"])
    same = Unit(1, 0, "note", "no secret")
    assert redact_units([same])[0][0] is same


def test_pages_that_are_kept_are_clean_and_known_to_have_held_a_secret() -> None:
    text = f"key {KEY} end"
    page = redact_page(OcrPage(1, text, boxed(text)))
    assert page.text == f"key {WITHHELD} end"
    assert [page.text[w.start : w.end] for w in page.words] == ["key", "end"]
    part = Part(page.text, page=1, ocr=True, thumb="1.webp")
    assert redact(Extraction("pdf", [part])) == ["Secret"]
    assert part.thumb is None


def test_a_list_of_secrets_is_withheld_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "MOST", 3)
    lines = "\n".join(f"password: Tr0ub4dor&{n}" for n in range(5))
    with pytest.raises(TooManySecretsError, match="Password or Key"):
        redact(Extraction("note", [Part(lines)]))


def test_what_is_left_says_something_or_not() -> None:
    assert not says_something(f"\n{WITHHELD}: {WITHHELD}.")
    assert says_something(f"key = {WITHHELD}")
