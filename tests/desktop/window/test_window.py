"""The window on a scripted indexer: stages, keys, pictures, empty states, errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from desktop import connection
from desktop import strings as s
from desktop.window.actions import ACTIONS
from desktop.window.commands import missing
from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer, hit
from tests.waiting import PATIENCE


def stage(name: str, *names: str, **more: Any) -> dict[str, Any]:
    return {"hits": [hit(f"/d/{n}") for n in names], "stage": name, **more}


def shown(window: Window) -> list[str]:
    return [window.model.index(r, 0).data() for r in range(window.model.rowCount())]


def step_by_step(indexer: ScriptedIndexer, *stages: dict[str, Any]) -> Callable[[], None]:
    """The indexer answers with the first stage; each further one is let go by a call."""
    go_on = threading.Semaphore(1)

    def answered(_body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for one in stages:
            go_on.acquire(timeout=PATIENCE)
            yield one

    indexer.stages = answered
    return go_on.release


def answer(indexer: ScriptedIndexer, *stages: dict[str, Any]) -> None:
    indexer.stages = lambda _body: list(stages)


def test_names_come_at_once_and_meaning_is_merged_in(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    next_stage = step_by_step(
        indexer,
        stage("names", "a.txt"),
        stage("fused", "b.txt", "a.txt"),
        stage("rescored", "c.txt", "b.txt", "a.txt"),
    )
    window.search.set_text("something")  # one question: each would get a first stage
    qtbot.waitUntil(lambda: shown(window) == ["a.txt"])
    next_stage()
    qtbot.waitUntil(lambda: shown(window) == ["b.txt", "a.txt"])
    next_stage()
    qtbot.waitUntil(lambda: shown(window) == ["c.txt", "b.txt", "a.txt"])
    assert window.results.currentIndex().row() == 0  # nobody chose: the best one is current


def test_rows_stay_once_a_key_moved_among_them(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    last_stage = step_by_step(
        indexer, stage("names", "a.txt", "b.txt"), stage("rescored", "z.txt", "b.txt", "a.txt")
    )
    QTest.keyClicks(window.search.field, "x")
    qtbot.waitUntil(lambda: shown(window) == ["a.txt", "b.txt"])
    QTest.keyClick(window.search.field, Qt.Key.Key_Down)
    assert window.results.hasFocus()
    last_stage()
    qtbot.waitUntil(lambda: window.model.rowCount() == 3)
    assert shown(window) == ["a.txt", "b.txt", "z.txt"]
    assert window.results.hit().path == "/d/b.txt"


def test_rows_stay_under_a_moving_pointer(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    answer(indexer, stage("rescored", "a.txt", "b.txt"))
    QTest.keyClicks(window.search.field, "x")
    qtbot.waitUntil(lambda: window.model.rowCount() == 2)
    assert not window.model.frozen
    at = window.results.visualRect(window.model.index(0, 0)).center()
    _move_pointer(window, at)
    assert window.model.frozen
    QTest.keyClicks(window.search.field, "y")  # a new question may order anew
    qtbot.waitUntil(lambda: not window.model.frozen)


def _move_pointer(window: Window, at: QPoint) -> None:
    port = window.results.viewport()
    event = QMouseEvent(
        QMouseEvent.Type.MouseMove,
        QPointF(at),
        QPointF(port.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(port, event)


def test_a_newer_query_wins_over_a_slow_older_one(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    go_on, answered = threading.Event(), threading.Event()

    def stages(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if body["query"] == "slow":
            go_on.wait(PATIENCE)
            yield stage("rescored", "slow.txt")
            answered.set()
        else:
            yield stage("rescored", "quick.txt")

    indexer.stages = stages
    window.search.set_text("slow")
    qtbot.waitUntil(lambda: bool(indexer.bodies("POST", "/v1/search")))
    window.search.set_text("quick")
    qtbot.waitUntil(lambda: shown(window) == ["quick.txt"])
    go_on.set()
    qtbot.waitUntil(answered.is_set)
    qtbot.waitUntil(lambda: not window.service._searches._running)  # it was read, or dropped
    assert shown(window) == ["quick.txt"]


def test_fast_typing_asks_few_times_and_the_last_text_last(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    answer(indexer, stage("rescored", "a.txt"))
    text = "a rather long sentence typed fast"
    QTest.keyClicks(window.search.field, text)
    qtbot.waitUntil(
        lambda: [b["query"] for b in indexer.bodies("POST", "/v1/search")][-1:] == [text]
    )
    assert len(indexer.bodies("POST", "/v1/search")) < len(text)


def test_nothing_found_says_so_and_offers_to_drop_the_filters(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    answer(indexer, stage("names"), stage("rescored"))
    window.search.set_text("kind:pdf nonsense")
    qtbot.waitUntil(lambda: window.empty.sentence == s.NOTHING_FILTERED)
    assert window.empty.isVisible()
    qtbot.mouseClick(window.empty.button, Qt.MouseButton.LeftButton)
    assert window.search.text() == "nonsense"
    qtbot.waitUntil(lambda: window.empty.sentence == s.NOTHING)


def test_weak_and_incomplete_answers_are_said_plainly(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    answer(indexer, stage("rescored", "a.txt", weak=True))
    window.search.set_text("x")
    qtbot.waitUntil(lambda: window.notice.isVisible())
    assert window.notice.label.text() == s.WEAK
    answer(indexer, stage("rescored", "a.txt", weak=True, loose=True))
    window.search.set_text('it says "x"')
    qtbot.waitUntil(lambda: window.notice.label.text() == s.PHRASE_RELAXED)
    covered = {"files": 9, "done": 1, "pending": 8, "complete": False, "message": "8 to go."}
    answer(indexer, stage("rescored", "a.txt", coverage=covered))
    window.search.set_text("y")
    qtbot.waitUntil(lambda: window.notice.label.text() == "8 to go.")
    answer(indexer, stage("rescored", "a.txt", spelling="library budget"))
    window.search.set_text("libary bugdet")
    said = s.ALSO_SEARCHED.format(spelling="library budget")
    qtbot.waitUntil(lambda: window.notice.label.text() == said)
    answer(indexer, stage("rescored", "a.txt", picture_words="toy", coverage={}))
    window.search.set_text("p")
    said_of_no_picture = s.PICTURE_WORDS_ALONE.format(words="toy")
    qtbot.waitUntil(lambda: window.notice.label.text() == said_of_no_picture)
    looked = {"pictures": 3, "looked_at": 3}
    answer(indexer, stage("rescored", "a.txt", picture_words="toy " * 99, coverage=looked))
    window.search.set_text("z")
    qtbot.waitUntil(lambda: window.notice.label.text().startswith(s.PICTURE_WORDS[:30]))
    assert len(window.notice.label.text()) < 160


def test_escape_clears_then_hides(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> None:
    answer(indexer, stage("rescored", "a.txt"))
    window.search.set_text("x")
    qtbot.waitUntil(lambda: window.model.rowCount() == 1)
    window.results.setFocus()
    QTest.keyClick(window.results, Qt.Key.Key_Escape)
    assert window.search.text() == ""
    assert window.isVisible()
    with qtbot.waitSignal(window.hide_wanted):
        QTest.keyClick(window.search.field, Qt.Key.Key_Escape)
    assert window.isVisible()  # where it hides to is for the application to say


def test_letters_in_the_list_go_to_the_field(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    answer(indexer, stage("rescored", "a.txt"))
    window.search.set_text("x")
    qtbot.waitUntil(lambda: window.model.rowCount() == 1)
    window.results.setFocus()
    QTest.keyClicks(window.results, "yz")
    assert window.search.text() in ("xyz", "xy")  # the second letter may go to the field itself
    assert window.search.field.hasFocus()
    window.results.setFocus()
    QTest.keyClick(window.results, Qt.Key.Key_Up)
    assert window.search.field.hasFocus()


def test_chips_and_kind_keys_edit_the_text(qtbot: QtBot, window: Window) -> None:
    window.search.set_text("invoice")
    window.commands.run("kind_pdf")
    assert window.search.text() == "invoice kind:pdf "
    assert window.chips.kind.on
    window.commands.run("kind_code")
    assert window.search.text() == "invoice kind:code "
    window.commands.run("kind_code")
    assert window.search.text().strip() == "invoice"
    assert not window.chips.kind.on


def test_words_read_as_a_filter_are_words_once_their_chip_is_taken_off(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    def plain() -> list[tuple[str, list[str]]]:
        bodies = indexer.bodies("POST", "/v1/search")
        return [(body["query"], body["plain"]) for body in bodies]

    read = [{"words": "from yesterday", "filter": "date:2026-03-13"}]
    answer(indexer, stage("rescored", "a.txt", read=read))
    window.search.set_text("invoice from yesterday")
    qtbot.waitUntil(lambda: shown(window) == ["a.txt"])
    assert plain()[-1] == ("invoice from yesterday", [])
    (chip,) = window.chips._readings
    assert chip.on
    chip.click()
    qtbot.waitUntil(lambda: plain()[-1] == ("invoice from yesterday", ["from yesterday"]))
    assert window.chips._readings == []
    assert window.search.text() == "invoice from yesterday", "not a letter of it is changed"
    # For as long as they stand there; typed again they are read again.
    window.search.set_text("my invoice from yesterday")
    qtbot.waitUntil(lambda: plain()[-1] == ("my invoice from yesterday", ["from yesterday"]))
    window.search.set_text("my invoice")
    window.search.set_text("my invoice from yesterday")
    qtbot.waitUntil(lambda: plain()[-1] == ("my invoice from yesterday", []))
    assert len(window.chips._readings) == 1


def test_readings_that_were_given_up_are_said_to_be(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    read = [{"words": "from yesterday", "filter": "date:2026-03-13"}]
    answer(indexer, stage("rescored", "a.txt", read=read, given_up="nothing"))
    window.search.set_text("invoice from yesterday")
    qtbot.waitUntil(lambda: "No file meets them" in window.notice.label.text())
    assert "“from yesterday” = date:2026-03-13" in window.notice.label.text()
    (chip,) = window.chips._readings
    assert not chip.on


def test_history_is_walked_and_the_typed_text_comes_back(qtbot: QtBot, window: Window) -> None:
    window.state.history = ["newest", "older"]
    window.search.set_text("typed")
    for expected in ("newest", "older", "older"):
        window.commands.run("history_older")
        assert window.search.text() == expected
    for expected in ("newest", "typed"):
        window.commands.run("history_newer")
        assert window.search.text() == expected


def test_a_picture_is_pasted_sent_with_the_text_and_removed(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    answer(indexer, stage("rescored", "a.png"))
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    QGuiApplication.clipboard().setImage(image)
    window.search.set_text("blue")
    window.search.field.setFocus()
    QTest.keySequence(window.search.field, QKeySequence(QKeySequence.StandardKey.Paste))

    def pictured() -> list[dict[str, Any]]:
        # What was typed before is asked, too, and may arrive later.
        return [b for b in indexer.bodies("POST", "/v1/search") if b["image"]]

    qtbot.waitUntil(lambda: bool(pictured()))
    body = pictured()[-1]
    assert body["query"] == "blue"
    kept = Path(body["image"])
    assert QImage(str(kept)).size() == image.size()
    assert kept.stat().st_mode & 0o077 == 0
    assert window.search.picture.isVisible()
    window.search.picture.click()
    qtbot.waitUntil(lambda: not window.search.picture.isVisible())
    qtbot.waitUntil(lambda: indexer.bodies("POST", "/v1/search")[-1]["image"] is None)


def test_a_dropped_picture_file_is_searched_where_it_is(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, tmp_path: Path
) -> None:
    answer(indexer, stage("rescored", "a.png"))
    file = tmp_path / "query.png"
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    image.fill(0)
    assert image.save(str(file))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    window.ask.take_picture(data)
    qtbot.waitUntil(lambda: bool(indexer.bodies("POST", "/v1/search")))
    assert indexer.bodies("POST", "/v1/search")[-1]["image"] == str(file)


def test_more_like_this(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> None:
    answer(indexer, stage("rescored", "a.txt"))
    indexer.answers["POST", "/v1/similar"] = {"coverage": {}, **stage("rescored", "b.txt")}
    window.search.set_text("x")
    qtbot.waitUntil(lambda: shown(window) == ["a.txt"])
    window.commands.run("similar")
    qtbot.waitUntil(lambda: shown(window) == ["b.txt"])
    assert indexer.bodies("POST", "/v1/similar")[0]["path"] == "/d/a.txt"
    assert window.search.picture.isVisible()
    window.search.set_text("words instead")
    qtbot.waitUntil(lambda: shown(window) == ["a.txt"])
    assert not window.search.picture.isVisible()


def test_recent_files_stand_on_an_empty_field(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    indexer.answers["GET", "/v1/recent"] = {
        "files": [{"path": "/d/r.txt", "kind": "note", "mtime": 1.0, "size": 2}]
    }
    window.show_home()
    qtbot.waitUntil(lambda: shown(window) == ["r.txt"])


def test_an_indexer_that_dies_is_said_and_can_be_started(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LOOK_MS", (10**8,))  # not by itself
    window.service._client._port = 9  # nobody listens on discard
    window.service.refresh()
    qtbot.waitUntil(lambda: window.notice.isVisible())
    assert window.notice.button.text() == s.START_INDEXER
    assert window.status.label.text() == s.NO_INDEXER
    qtbot.mouseClick(window.notice.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.service.ready)
    assert not window.notice.isVisible()


def test_an_indexer_that_comes_back_is_taken_up_by_itself(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    window.service._client._port = 9  # type: ignore[union-attr]
    window.service.refresh()
    qtbot.waitSignal(window.service.connected).wait()
    assert window.service.ready
    assert not window.notice.isVisible()


def test_clipboard_actions(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> None:
    answer(indexer, stage("rescored", "a.txt"))
    window.search.set_text("x")
    qtbot.waitUntil(lambda: window.model.rowCount() == 1)
    window.commands.run("copy_path")
    assert QGuiApplication.clipboard().text() == "/d/a.txt"
    window.commands.run("copy_file")
    assert QGuiApplication.clipboard().mimeData().urls() == [QUrl("file:///d/a.txt")]
    window.commands.run("open")  # it is not there: said, not crashed
    assert "a.txt" in window.notice.label.text()


def test_every_action_has_a_method_a_unique_key_and_a_tooltip(window: Window) -> None:
    assert missing() == []
    keys = [key for spec in ACTIONS.values() for key in spec.keys]
    assert len(keys) == len(set(keys))
    for name, action in window.actions_by_id.items():
        assert action.text()
        assert [k.toString() for k in action.shortcuts()] == [
            QKeySequence(key).toString() for key in ACTIONS[name].keys
        ]
        assert action.toolTip().startswith(action.text().rstrip("…"))


def test_the_menus_hold_every_action_once(window: Window) -> None:
    def held(menu: QMenu) -> list[str]:
        found = []
        for action in menu.actions():
            part = action.menu()
            found += held(part) if isinstance(part, QMenu) else [action.objectName()]
        return [name for name in found if name]  # separators have none

    menu = window.menu()
    assert sorted(held(menu)) == sorted(ACTIONS)
    at_once = {action.objectName() for action in menu.actions()}
    assert {"settings", "palette", "index_panel", "quit"} <= at_once


@pytest.mark.parametrize("key", ["Ctrl+K", "F1", "Ctrl+,", "Ctrl+I"])
def test_shortcuts_open_what_the_table_says(qtbot: QtBot, window: Window, key: str) -> None:
    name = next(spec.id for spec in ACTIONS.values() if key in spec.keys)
    with qtbot.waitSignal(window.actions_by_id[name].triggered):
        window.activateWindow()
        QTest.keySequence(window, QKeySequence(key))
    assert any(d.isVisible() for d in window.commands._dialogs.values())


def test_everything_that_takes_the_focus_has_a_name(window: Window) -> None:
    from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

    for widget in window.findChildren(QWidget):
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or not widget.isVisibleTo(window):
            continue
        name = widget.accessibleName()
        if isinstance(widget, QAbstractButton):
            name = name or widget.text()
        if isinstance(widget, QLineEdit):
            name = name or widget.placeholderText()
        if type(widget).__name__ not in ("QScrollArea", "QStackedWidget", "QWidget"):
            assert name, widget


def test_preview_pane_is_toggled_and_remembered(qtbot: QtBot, window: Window) -> None:
    window.commands.run("toggle_preview")
    assert not window.preview.isVisible()
    assert window.state.preview is False
    window.commands.run("toggle_preview")
    assert window.preview.isVisible()
