"""What the model was given: the sources with what each took of its room, and the prompt itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QIcon, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.asking import strings as s
from desktop.asking.copying import named
from desktop.theme import GRID, HALF
from desktop.wording import figures
from engine.contract.asking import Found


class GivenDialog(QDialog):
    """Who was asked, from what, in which words."""

    def __init__(self, found: Found, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(s.GIVEN_TITLE)
        who = self._label(s.GIVEN_BY.format(model=found.model, server=found.server))
        who.setFont(theme.font(self.font(), 1, bold=True))
        room = self._label(s.given_room(found.tokens, found.room) if found.room else "")
        room.setForegroundRole(room.palette().ColorRole.PlaceholderText)
        self.prompt = QPlainTextEdit(self)
        self.prompt.setReadOnly(True)
        self.prompt.setProperty("class", "field")
        self.prompt.setAccessibleName(s.GIVEN_TITLE)
        self.prompt.setTabChangesFocus(True)
        self._write(found)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)
        close.setIcon(QIcon())  # no other button of ours has one
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(GRID + HALF)
        column.addWidget(who)
        column.addWidget(room)
        if found.sources:
            column.addWidget(self._sources(found), 2)
        column.addWidget(self.prompt, 5)
        column.addWidget(buttons)
        self.resize(84 * GRID, 80 * GRID)

    def _label(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _sources(self, found: Found) -> QScrollArea:
        """A row each: number, file and place, how it was given, how much it took."""
        page = QWidget(self)
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, GRID, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(HALF)
        grid.setColumnStretch(1, 1)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
        for row, one in enumerate(found.sources):
            told = (
                figures.number(one.number),
                named(one.hit),
                s.GIVEN_AS.get(one.given, ""),
                s.tokens(one.tokens),
            )
            for column, text in enumerate(told):
                label = self._label(text)
                label.setWordWrap(column == 1)
                if column != 1:
                    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
                    label.setAlignment(right)
                grid.addWidget(label, row, column)
        grid.setRowStretch(len(found.sources), 1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setAccessibleName(s.SOURCES)
        area.setWidget(page)
        return area

    def _write(self, found: Found) -> None:
        """Role by role; what it says is text, and is not set."""
        head = QTextCharFormat()
        head.setFontWeight(QFont.Weight.DemiBold)
        plain = QTextCharFormat()
        plain.setFontFamilies(theme.fixed_font().families())
        plain.setFontPointSize(self.font().pointSizeF() - 1)
        cursor = QTextCursor(self.prompt.document())
        for number, (role, text) in enumerate(found.prompt):
            cursor.insertText("\n\n" if number else "", plain)
            cursor.insertText(s.ROLES.get(role, role) + "\n", head)
            cursor.insertText(text, plain)
        if not found.prompt:
            cursor.insertText(s.GIVEN_NOTHING, head)
        self.prompt.moveCursor(QTextCursor.MoveOperation.Start)
