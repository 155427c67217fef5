"""Text previews: code with line numbers and colours, and prose."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QApplication, QFrame, QPlainTextEdit, QTextEdit, QWidget

from desktop import strings as s
from desktop import theme
from desktop.presentation import highlight
from desktop.presentation.positions import Positions, places
from desktop.preview.loading import Text
from desktop.theme import GRID
from engine.contract.types import Location


class TextView(QPlainTextEdit):
    """Read-only text; colours are set for the lines in view only, so that long files open fast."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: Sequence[highlight.Run] = ()
        self._starts: list[int] = []
        self._coloured: set[int] = set()
        self._first_line = 1
        self._tinted: tuple[int, int] | None = None  # blocks of the passage, both inclusive
        self._numbers = _LineNumbers(self)
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName(s.TEXT_NAME)
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._scroll_numbers)

    def show_text(self, content: Text, location: Location, words: Sequence[str]) -> None:
        """The text at a place: its lines tinted, the words that matched marked in them."""
        self._runs = content.runs
        self._starts = [run.start for run in content.runs]
        self._coloured = set()
        self._first_line = content.first_line
        self._numbers.setVisible(content.code)
        self.setFont(theme.fixed_font() if content.code else theme.font(QApplication.font(), 0.5))
        self.setWordWrapMode(
            QTextOption.WrapMode.NoWrap
            if content.code
            else QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere
        )
        self.setTabStopDistance(self.fontMetrics().horizontalAdvance(" ") * 4)
        self.document().setDocumentMargin(GRID if content.code else 2 * GRID)
        self.setPlainText(content.text)
        self._make_room()
        self.go_to(location, words)

    def go_to(self, location: Location, words: Sequence[str]) -> None:
        """Scroll to the lines and tint them."""
        self.setExtraSelections([])
        self._tinted = None
        if location.lines is None:
            self.mark_words(words, 0, self.document().characterCount())
            return
        first = self.document().findBlockByNumber(location.lines[0] - self._first_line)
        last = self.document().findBlockByNumber(location.lines[1] - self._first_line)
        if not first.isValid():
            return
        last = last if last.isValid() else self.document().lastBlock()
        self._tinted = (first.blockNumber(), last.blockNumber())
        self.mark_words(words, first.position(), last.position() + last.length())
        self._centre(first)

    def _centre(self, block: QTextBlock) -> None:
        """The block a third down from the top: what stands before it is seen, too."""
        lines = max(1, self.viewport().height() // max(1, self.fontMetrics().lineSpacing()))
        cursor = QTextCursor(block)
        self.setTextCursor(cursor)
        bar = self.verticalScrollBar()
        bar.setValue(max(0, block.firstLineNumber() - lines // 3))
        self.horizontalScrollBar().setValue(0)

    def mark_words(self, words: Sequence[str], start: int, end: int) -> None:
        """Mark these words where they stand between two positions."""
        c = theme.of(self.palette())
        style = QTextCharFormat()
        style.setBackground(c.mark)
        style.setForeground(c.text)  # the colours of code are made for the window's
        text, selections = self.toPlainText(), self.extraSelections()
        at = Positions(text)
        first: QTextCursor | None = None
        for low, high in places(text, words, at.index(start), at.index(end)):
            cursor = QTextCursor(self.document())
            cursor.setPosition(at(low))
            cursor.setPosition(at(high), QTextCursor.MoveMode.KeepAnchor)
            selections.append(selection(cursor, style))
            if first is None or cursor.position() < first.position():
                first = cursor
        self.setExtraSelections(selections)
        if first is not None and start == 0:
            self._centre(first.block())

    def paintEvent(self, event: QPaintEvent) -> None:
        self._tint_visible()
        self._colour_visible()
        super().paintEvent(event)

    def _tint_visible(self) -> None:
        """A bar beside the passage and a breath of its colour behind, as wide as the view."""
        if self._tinted is None:
            return
        c = theme.of(self.palette())
        tint = QColor(c.accent)
        tint.setAlphaF(0.08)
        painter = QPainter(self.viewport())
        block, bottom = self.firstVisibleBlock(), self.viewport().height()
        while block.isValid() and block.blockNumber() <= self._tinted[1]:
            place = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if place.top() > bottom:
                break
            if block.blockNumber() >= self._tinted[0]:
                # To whole pixels: two that meet would else show a line where they do.
                top, end = round(place.top()), round(place.bottom())
                painter.fillRect(QRect(0, top, self.viewport().width(), end - top), tint)
                painter.fillRect(QRect(0, top, 3, end - top), c.accent)
            block = block.next()
        painter.end()

    def _colour_visible(self) -> None:
        if not self._runs:
            return
        block = self.firstVisibleBlock()
        bottom = self.viewport().height()
        dark = theme.of(self.palette()).dark
        while block.isValid():
            top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
            if top > bottom:
                return
            if block.blockNumber() not in self._coloured:
                self._coloured.add(block.blockNumber())
                block.layout().setFormats(self._formats(block, dark))
            block = block.next()

    def _formats(self, block: QTextBlock, dark: bool) -> list[QTextLayout.FormatRange]:
        start, end = block.position(), block.position() + block.length()
        formats = []
        at = max(0, bisect.bisect_right(self._starts, start) - 1)
        for run in self._runs[at:]:
            if run.start >= end:
                break
            low, high = max(run.start, start), min(run.start + run.length, end)
            if low < high:
                made = QTextLayout.FormatRange()
                made.start, made.length = low - start, high - low
                style = QTextCharFormat()
                style.setForeground(highlight.colour(run.role, dark))
                made.format = style
                formats.append(made)
        return formats

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._coloured = set()

    # Line numbers

    def numbers_width(self) -> int:
        if not self._numbers.isVisibleTo(self):
            return 0
        digits = len(str(self._first_line + self.blockCount()))
        return self.fontMetrics().horizontalAdvance("9") * max(digits, 3) + 3 * GRID

    def _make_room(self) -> None:
        self.setViewportMargins(self.numbers_width(), 0, 0, 0)
        self._place_numbers()

    def _scroll_numbers(self, area: QRect, dy: int) -> None:
        if dy:
            self._numbers.scroll(0, dy)
        else:
            self._numbers.update(0, area.y(), self._numbers.width(), area.height())

    def _place_numbers(self) -> None:
        area = self.contentsRect()
        self._numbers.setGeometry(area.left(), area.top(), self.numbers_width(), area.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_numbers()

    def paint_numbers(self, painter: QPainter, area: QRect) -> None:
        """Draw the numbers of the lines in view."""
        c = theme.of(self.palette())
        painter.setFont(self.font())
        painter.setPen(c.muted)
        block = self.firstVisibleBlock()
        while block.isValid():
            place = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if place.top() > area.bottom():
                return
            where = QRectF(
                0, place.top(), self._numbers.width() - 1.5 * GRID, self.fontMetrics().height()
            )
            number = str(self._first_line + block.blockNumber())
            painter.drawText(where, Qt.AlignmentFlag.AlignRight, number)
            block = block.next()


class _LineNumbers(QWidget):
    """The gutter of a TextView."""

    def __init__(self, owner: TextView) -> None:
        super().__init__(owner)
        self._owner = owner

    def sizeHint(self) -> QSize:
        return QSize(self._owner.numbers_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._owner.paint_numbers(painter, event.rect())
        painter.end()


def selection(cursor: QTextCursor, style: QTextCharFormat) -> QTextEdit.ExtraSelection:
    """A run of text drawn in a style, its content untouched."""
    made = QTextEdit.ExtraSelection()
    made.cursor = cursor
    made.format = style
    return made
