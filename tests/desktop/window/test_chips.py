"""A chip and its typed prefix are the same thing."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from desktop.window import chips
from desktop.window.chip_bar import ChipBar
from engine.contract.query import parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("plain words", []),
        ("kind:pdf invoice", [("kind", "pdf", False)]),
        ('in:"My Docs" -ext:tmp', [("in", "My Docs", False), ("ext", "tmp", True)]),
        ("type:pdf", [("kind", "pdf", False)]),
        ("kind:nonsense x:y http://a", []),
        ('"kind:pdf" quoted', []),
        ("date:2024-03 before:2025 size:>1MB", [
            ("date", "2024-03", False), ("before", "2025", False), ("size", ">1MB", False)
        ]),
    ],
)  # fmt: skip
def test_what_is_a_chip(text: str, found: list[tuple[str, str, bool]]) -> None:
    assert [(c.key, c.value, c.negated) for c in chips.chips(text)] == found


@pytest.mark.parametrize("text", ["", "invoice", "invoice in:Docs", 'a "kind:code" b'])
def test_toggling_twice_is_as_before(text: str) -> None:
    once = chips.toggle(text, "kind", "pdf")
    assert parse(once).filters.kinds == ("pdf",)
    assert parse(once).text == parse(text).text
    twice = chips.toggle(once, "kind", "pdf")
    assert twice.strip() == text
    assert parse(twice).filters == parse(text).filters


def test_several_values_of_one_kind() -> None:
    text = chips.toggle("kind:pdf,code x", "kind", "note")
    assert set(parse(text).filters.kinds) == {"pdf", "code", "note"}
    assert set(parse(chips.toggle(text, "kind", "pdf")).filters.kinds) == {"code", "note"}


def test_a_folder_with_spaces_survives() -> None:
    text = chips.add("invoice", "in", "/home/ada/My Docs")
    assert parse(text).filters.folders == ("/home/ada/My Docs",)
    assert chips.words(text) == "invoice"


def test_one_date_replaces_the_others() -> None:
    text = chips.replace("a before:2024 b date:7d", ("date", "before", "after"), "date", "today")
    assert [c.value for c in chips.chips(text)] == ["today"]
    assert chips.words(text) == "a b"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(ext:pdf OR ext:docx) invoice", ["(ext:pdf OR ext:docx)"]),
        ("ext:pdf OR kind:image", ["ext:pdf OR kind:image"]),
        ("-(ext:pdf OR kind:image) a", ["-(ext:pdf OR kind:image)"]),
        ("(invoice OR receipt) ext:pdf", ["pdf"]),
        ("invoice OR ext:pdf", []),
        ("(report) -(draft OR old)", []),
        ("-date:2024", ["2024"]),
    ],
)
def test_filters_that_or_joins_are_one_chip(text: str, found: list[str]) -> None:
    assert [chip.value for chip in chips.chips(text)] == found
    for chip in chips.chips(text):
        assert parse(chips.remove(text, chip)).filters == parse(chips.words(text)).filters


def test_bar_shows_readings_and_takes_them_off(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    owner = QWidget()
    qtbot.addWidget(owner)
    bar = ChipBar(owner)
    text = "screenshots of the login page from yesterday ext:png"
    bar.show_query(text)
    said = [button.accessibleName() for button in bar._readings]
    assert said[0] == "“screenshots of” = kind:screenshot"
    assert said[1].startswith("“from yesterday” = date:")
    assert all(button.on for button in bar._readings)
    assert [button.accessibleName() for button in bar._extra] == ["ending in png"]
    declined: list[str] = []
    bar.declined.connect(declined.append)
    bar._readings[0].click()
    assert declined == ["screenshots of"]
    bar.show_query(text, ("screenshots of",))
    assert [button.accessibleName() for button in bar._readings] == said[1:]
    bar.show_given_up(True)
    assert not bar._readings[0].on
    bar.show_given_up(False)
    assert bar._readings[0].on
    bar.show_query("login page")
    assert bar._readings == []


def test_removing_keeps_the_rest() -> None:
    text = "a kind:pdf  b"
    assert chips.remove(text, chips.chips(text)[0]) == "a b"


def test_bar_shows_and_edits_the_text(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    owner = QWidget()
    qtbot.addWidget(owner)
    bar = ChipBar(owner)
    bar.set_folders(["/home/ada/Documents"])
    bar.show_query("kind:pdf -lang:de invoice")
    assert bar.kind.on
    assert bar.kind.text() == "PDFs"
    assert not bar.folder.on
    assert [button.accessibleName() for button in bar._extra] == ["not language de"]
    edits: list[str] = []
    bar.edited.connect(edits.append)
    bar._extra[0].click()
    assert edits == ["kind:pdf invoice"]
    menu = bar.kind.property("menu")
    menu.aboutToShow.emit()
    chosen = [a.text() for a in menu.actions() if a.isChecked()]
    assert chosen == ["PDFs"]
    next(a for a in menu.actions() if a.text() == "Code").trigger()
    assert parse(edits[-1]).filters.kinds == ("pdf", "code")
    bar.folder.property("menu").aboutToShow.emit()
    folders = [a.text() for a in bar.folder.property("menu").actions()]
    assert "/home/ada/Documents" in folders
