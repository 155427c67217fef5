"""A chip and its typed prefix are the same thing."""

from __future__ import annotations

import datetime as dt

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from desktop.window import chips
from desktop.window.chip_bar import ChipBar
from desktop.window.completions import Known, completed, completions
from desktop.window.date_span import DateSpanDialog, span_label
from desktop.window.filter_completer import FilterCompleter
from engine.contract.filters import FILTERS
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
    below = {"Work": 30, "Work/a & b": 20, "Work/a & b/deep": 20, "Notes": 5}
    bar.set_held_folders({f"/home/ada/Documents/{f}": n for f, n in below.items()} | {"/x": 9})
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
    first = folders.index("/home/ada/Documents")
    names = [folder.strip() for folder in folders[first + 1 : first + 5]]
    assert names == ["Notes  ·  5", "Work  ·  30", "a && b  ·  20", ""]  # as a tree, two deep
    next(a for a in bar.folder.property("menu").actions() if "a && b" in a.text()).trigger()
    assert parse(edits[-1]).filters.folders == ("/home/ada/Documents/Work/a & b",)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("boiler", []),  # no filter is being typed
        ("at 12:30", []),
        ("say foo:b", []),
        ("boiler ki:", ["kind:"]),
        ("-kind:sc", ["screenshot", "scan"]),
        ("(kind:pdf OR kind:no", ["note"]),
        (
            "kind:pdf,note,",
            [
                "screenshot",
                "image",
                "code",
                "audio",
                "video",
                "other",
                "photo",
                "diagram",
                "scan",
                "archive",
            ],
        ),
        ("kind:pdf", []),  # complete
        ("date:last", ["7d", "30d", "1y"]),  # by what it means
        ("before:202", ["2026-05", "2026", "2025", "2024", "2023"]),
        ("in:do", ["/home/ada/Documents"]),
        ("in:wor", ["/home/ada/Documents/Work"]),
        ("ext:", ["rs", "md"]),  # what there is, the commonest first
        ("ext:md,", ["rs"]),
        ("lang:py", ["python"]),  # nothing is known of languages: the usual ones
        ('in:"/home/ada/My', ['"/home/ada/My Notes"']),
        ("size:<", ["<100kB"]),
        ("name:", []),
    ],
)
def test_what_may_follow_a_filter_that_is_typed(typed: str, found: list[str]) -> None:
    held = {"in": {"/home/ada/Documents/Work": 3}, "ext": {"md": 2, "rs": 12}, "lang": {}}
    known = Known(("/home/ada/Documents", "/home/ada/My Notes"), held)
    offered = completions(typed, len(typed), known, dt.date(2026, 5, 4))
    assert [one.text for one in offered] == found
    for one in offered:
        text, caret = completed(typed + " rest", len(typed), one)
        assert text.startswith(typed[: one.start])
        assert text[one.start :].startswith(one.text)
        assert text.endswith("rest")
        assert caret == one.start + len(one.text) + (not one.text.endswith(":"))


def test_a_colon_offers_every_filter_with_what_it_means() -> None:
    offered = completions("boiler :", 8, Known(), dt.date(2026, 5, 4))
    assert {one.text for one in offered} == {f"{word}:" for word in FILTERS} - {"type:", "archive:"}
    assert all(one.meaning for one in offered)


def test_filters_are_completed_under_the_field(qtbot: QtBot) -> None:
    field = QLineEdit()
    qtbot.addWidget(field)
    completer = FilterCompleter(field, lambda: Known(("/d/My Notes",)))
    field.show()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "boiler in")
    assert not completer.popup.isVisible()
    QTest.keyClicks(field, ":")
    assert completer.popup.isVisible()
    QTest.keyClick(completer.popup, Qt.Key.Key_Return)
    assert field.text() == 'boiler in:"/d/My Notes" '
    assert not completer.popup.isVisible()
    QTest.keyClicks(field, "kind:s")
    QTest.keyClick(completer.popup, Qt.Key.Key_Down)
    QTest.keyClick(completer.popup, Qt.Key.Key_Tab)
    assert field.text().endswith(" kind:scan ")
    QTest.keyClicks(field, "kind:")
    QTest.keyClick(completer.popup, Qt.Key.Key_Escape)
    assert not completer.popup.isVisible()
    assert field.text().endswith(" kind:")


def test_a_span_of_days_is_chosen_and_shown(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    bar = ChipBar(owner)
    bar.edited.connect(bar.show_query)
    bar.show_query("invoice date:7d")
    bar.pick_dates()
    (dialog,) = bar.window().findChildren(DateSpanDialog)
    dialog.first.setDate(QDate(2026, 3, 1))
    dialog.last.setDate(QDate(2026, 2, 1))  # before it begins
    assert dialog.last.date() == QDate(2026, 3, 1)
    dialog.last.setDate(QDate(2026, 4, 2))
    with qtbot.waitSignal(bar.edited) as edited:
        QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert edited.args == ["invoice date:2026-03-01..2026-04-02 "]
    assert bar.date.accessibleName().endswith("1 Mar 2026–2 Apr 2026")
    assert parse(edited.args[0]).filters.before is not None
    bar.pick_dates()  # shows what holds
    again = bar.window().findChildren(DateSpanDialog)[-1]
    assert (again.first.date(), again.last.date()) == (QDate(2026, 3, 1), QDate(2026, 4, 2))
    again.close()


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("2026-03-01..", "1 Mar 2026–…"),
        ("..2026-03-01", "…–1 Mar 2026"),
        ("2026-03", "2026-03"),
        ("2026..2027", "2026..2027"),
        ("2026-13-01..2026-14-01", "2026-13-01..2026-14-01"),
        ("..", ".."),
    ],
)
def test_how_a_span_is_written(value: str, label: str) -> None:
    assert span_label(value) == label


def test_what_is_asked_twice_is_said_once(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    bar = ChipBar(owner)
    bar.show_query("kind:pdf in:Work kind:pdf in:Work")
    assert bar.kind.text() == "PDFs"
    assert bar.folder.text() == "Work"
