"""Units: sizes, offsets, lines, merging, context."""

from __future__ import annotations

import random

import pytest

from engine.contract.types import Unit, WordBox
from indexer.reading.chunking import SIZES, units_of
from indexer.reading.context import MAX_CHARACTERS, clean, context_of, document_words
from indexer.reading.extract.base import Extraction, Part

SENTENCE = "The kettle on the stove had been singing for a while when Ada came in. "


def cut(*parts: Part, kind: str = "note", path: str = "/r/a.txt", **more: object) -> list[Unit]:
    extraction = Extraction(kind=kind, parts=list(parts), **more)  # type: ignore[arg-type]
    return units_of(extraction, 7, path, "/r")


def test_short_text_is_one_unit() -> None:
    [unit] = cut(Part("Hello.", lines=(1, 1)))
    assert (unit.unit_id, unit.text, unit.lines, unit.kind) == ("7:0", "Hello.", (1, 1), "note")


@pytest.mark.parametrize("length", [1001, 1100, 2500, 30_000])
def test_prose_is_cut_at_sentences_and_all_of_it_is_there(length: int) -> None:
    text = (SENTENCE * (length // len(SENTENCE) + 1))[:length].strip()
    units = cut(Part(text))
    assert [unit.ordinal for unit in units] == list(range(len(units)))
    assert all(200 < len(unit.text) <= SIZES.prose for unit in units)
    assert all(unit.text.endswith("in.") for unit in units[:-1])
    at = 0
    for unit in units:
        start = text.index(unit.text, max(0, at - SIZES.overlap - 1))
        assert start <= at + 1  # no gap but a space
        at = start + len(unit.text)
    assert at == len(text)


def test_a_text_without_any_border_is_cut_all_the_same() -> None:
    units = cut(Part("x" * 5000))
    assert "".join(unit.text for unit in units) == "x" * 5000


def test_paragraphs_are_the_best_border() -> None:
    units = cut(Part(SENTENCE * 9 + "\n\n" + "Next. " + SENTENCE * 9))
    assert units[1].text.startswith("Next.") or "Next." not in units[0].text


def test_lines_of_cuts_are_those_of_the_file() -> None:
    lines = [
        f"line {number} " + "word " * random.Random(number).randrange(12) for number in range(400)
    ]
    units = cut(Part("\n".join(lines), lines=(11, 410)))
    assert len(units) > 5
    for unit in units:
        assert unit.lines is not None
        first, last = unit.lines
        shown = unit.text.split("\n")
        assert len(shown) == last - first + 1
        assert lines[first - 11].endswith(shown[0]) or lines[first - 11].strip() == shown[0].strip()
        assert lines[last - 11].strip() == shown[-1].strip()


def test_word_boxes_are_rebased() -> None:
    text = SENTENCE * 40
    words = []
    at = 0
    for number, word in enumerate(text.split()):
        at = text.index(word, at)
        words.append(WordBox(at, at + len(word), (0.0, number / 1000, 1.0, 1.0)))
        at += len(word)
    units = cut(Part(text, page=3, words=words), kind="pdf")
    seen = set()
    for unit in units:
        assert unit.page == 3
        assert unit.words
        for word in unit.words:
            number = round(word.box[1] * 1000)
            assert unit.text[word.start : word.end] == text.split()[number]
            seen.add(number)
    assert seen == set(range(len(words)))


def test_small_neighbours_are_merged_under_their_common_heading() -> None:
    parts = [
        Part("# Tea", heading=("Tea",), lines=(1, 1)),
        Part("## Green\n\nTwo minutes.", heading=("Tea", "Green"), lines=(3, 5)),
        Part("## Black\n\nFour minutes.", heading=("Tea", "Black"), lines=(7, 9)),
        Part("# Coffee\n\n" + SENTENCE * 12, heading=("Coffee",), lines=(11, 13)),
    ]
    units = cut(*parts)
    assert [unit.lines for unit in units] == [(1, 9), (11, 13)]
    assert "Two minutes." in units[0].text
    assert "Four minutes." in units[0].text
    assert units[0].context.endswith("Tea")
    assert units[1].context.endswith("Coffee")


def test_symbols_and_pages_are_not_merged() -> None:
    symbols = [Part(f"def {n}(): pass", symbol=n, heading=(n,), lines=(1, 1)) for n in "abc"]
    assert [unit.symbol for unit in cut(*symbols, kind="code")] == ["a", "b", "c"]
    assert len(cut(Part("one", page=1), Part("two", page=2), kind="pdf")) == 2


def test_later_windows_of_a_symbol_know_its_signature() -> None:
    body = "\n".join(f"    total += step_{number}(total)" for number in range(100))
    text = f"@cached\ndef brew(tea: Tea) -> Cup:\n{body}"
    part = Part(text, heading=("Pot", "brew"), symbol="brew", lines=(5, 106))
    units = cut(part, kind="code", path="/r/tools.py")
    assert len(units) > 2
    assert all("Pot › brew" in unit.context for unit in units)
    assert "def brew(tea: Tea) -> Cup:" in units[1].context
    assert units[1].lines is not None
    assert units[0].lines is not None
    assert units[1].lines[0] == units[0].lines[1] + 1  # code does not overlap


def test_a_picture_without_text_is_still_a_unit() -> None:
    for text in ("", "  \n"):
        [unit] = cut(Part(text, image="p.png"), kind="image", path="/r/holiday/red door.png")
        assert unit.context == "red door › holiday"
        assert unit.image == "p.png"
    [unit] = cut(Part(""), kind="screenshot")
    assert unit.text == ""


def test_text_without_a_letter_gives_no_unit() -> None:
    assert cut(Part("-----\n\n *** \n")) == []


def test_chinese_units_are_shorter() -> None:
    units = cut(Part("茶壶在炉子上唱了一会儿。" * 300))
    assert all(len(unit.text) <= SIZES.prose // 3 for unit in units)
    assert all(unit.text.endswith("。") for unit in units)


@pytest.mark.parametrize(
    ("title", "path", "words"),
    [
        ("", "/r/filings/Activision Blizzard/ACTIVISIONBLIZZARD_2019_10K.pdf",
         ["Activision Blizzard 2019 10K", "filings"]),
        ("", "/r/src/docs/myHTTPServer-notes.md", ["my HTTP Server notes"]),
        ("Green tea", "/r/kitchen/green_tea.md", ["Green tea", "kitchen"]),
        ("Green tea", "/r/kitchen/IMG_20240131.md", ["Green tea", "kitchen"]),
        ("Microsoft Word - Draft2.doc", "/r/thesis.pdf", ["thesis"]),
        ("Untitled", "/r/a/b.odt", ["b", "a"]),
        ("bun-info", "/r/bun-info.md", ["bun-info"]),
        ("", "/r/engine/engine/__init__.py", ["engine"]),
        ("", "/r/README.md", ["README"]),
        ("", "/elsewhere/x/y.txt", ["y", "elsewhere", "x"]),
        ("", "/r/3f786850e387550fdab836ed7e6dc881de23001b.png", []),
    ],
)  # fmt: skip
def test_document_words(title: str, path: str, words: list[str]) -> None:
    assert document_words(title, path, "/r") == words


def test_names_of_any_bytes_become_words() -> None:
    assert clean("caf\udce9 menu_v2") == "caf menu v2"


def test_context_is_bounded() -> None:
    [unit] = cut(Part("text", heading=tuple("section " + "x" * 60 for _ in range(9))))
    assert len(unit.context) <= MAX_CHARACTERS
    assert unit.context.startswith("a › ")
    [unit] = cut(Part("text", heading=("inner",)), path=f"/r/{'outer/' + 'x' * 200}/mid/a.txt")
    assert unit.context == "a › outer › mid › inner"  # not the endless one


@pytest.mark.parametrize(
    ("name", "context"),
    [("fee-schedule-north.pdf", "fee schedule north"), ("scan 7.pdf", "STATE OF THE ART")],
)
def test_a_letterhead_speaks_only_where_the_name_says_nothing(name: str, context: str) -> None:
    read = Extraction("pdf", [Part("Fees", page=1)], big_line="STATE OF THE ART")
    assert context_of(read, f"/r/{name}", "/r")(read.parts[0]) == context


def test_code_names_its_language() -> None:
    read = Extraction("code", [Part("int x;")], language="cpp")
    assert context_of(read, "/r/wheel.cc", "/r")(read.parts[0]) == "c++ › wheel"
