"""The palette: every action by a few letters of its name, over the darkened window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.window.command_palette import CommandPalette, matches
from desktop.window.window import Window


class TestPalette:
    def test_typing_finds_and_enter_does(self, qtbot: QtBot, window: Window) -> None:
        palette = CommandPalette(window.actions_by_id, window)
        palette.show()
        QTest.keyClicks(palette.field, "keyb")
        assert palette.list.currentItem().text() == "Keyboard Shortcuts"
        with qtbot.waitSignal(palette.chosen) as chosen:
            QTest.keyClick(palette.field, Qt.Key.Key_Return)
        assert chosen.args == ["shortcuts"]

    def test_only_what_can_be_done_is_offered(self, qtbot: QtBot, window: Window) -> None:
        window._enable_actions()
        palette = CommandPalette(window.actions_by_id, window)
        offered = {
            palette.list.item(i).data(Qt.ItemDataRole.UserRole) for i in range(palette.list.count())
        }
        assert "open" not in offered
        assert {"settings", "quit"} <= offered

    def test_it_lies_on_the_window_no_higher_than_what_is_offered(
        self, qtbot: QtBot, window: Window
    ) -> None:
        window.search.field.setFocus()
        window.commands.run("palette")
        palette = window.commands._dialogs["palette"]
        assert isinstance(palette, CommandPalette)
        assert palette.size() == window.size()  # the veil
        assert palette.field.hasFocus() or not window.isActiveWindow()
        whole = palette._panel.height()
        QTest.keyClicks(palette.field, "keyb")
        rows = palette.list.count() * palette.list.sizeHintForRow(0)
        assert rows < palette._panel.height() < whole
        window.resize(700, 500)
        qtbot.waitUntil(lambda: palette.size() == window.size())
        assert window.rect().contains(palette._panel.geometry())
        QTest.keyClick(palette.field, Qt.Key.Key_Tab)  # there is nowhere else to go
        assert palette.isVisible()
        QTest.keyClick(palette.field, Qt.Key.Key_Escape)
        assert not palette.isVisible()
        assert window.focusWidget() is window.search.field
        window.commands.run("palette")
        again = window.commands._dialogs["palette"]
        qtbot.mouseClick(again, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))  # beside it
        assert not again.isVisible()

    @pytest.mark.parametrize(
        ("typed", "rank"), [("zoom", 3), ("in zo", 2), ("zmi", 1), ("q", 0), ("", 3)]
    )
    def test_ranks(self, typed: str, rank: int) -> None:
        assert matches(typed, "Zoom In") == rank
