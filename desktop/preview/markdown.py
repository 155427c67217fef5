"""Markdown as it is meant: headings, lists, tables and code in the palette's colours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QApplication, QFrame, QTextBrowser, QTextEdit, QToolTip, QWidget

from desktop import strings as s
from desktop import theme
from desktop.presentation.positions import Positions, places
from desktop.preview.text import selection
from desktop.preview.typeset import blocks, is_code, quoted, same_code, set_document
from desktop.theme import GRID, HALF

_MEASURE = 72  # characters of a line that is easily read
_WORDS = re.compile(r"\w+")
#: So many words of a passage after each other tell its place; among the first so many.
_IN_A_ROW, _TRIED = 4, 40
#: Links that are followed when somebody clicks one: nothing that opens a file or starts a program.
_WEB = ("http", "https", "mailto")
_BOX = 14  # pixels of a task's box
_MARKERS = QTextBlockFormat.MarkerType


class MarkdownView(QTextBrowser):
    """Markdown as it is meant; loads nothing from anywhere, follows no link by itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[str, str, Sequence[str]] = ("", "", ())
        self._place_shown = 0  # where the passage begins
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.anchorClicked.connect(self.follow)
        self.setAccessibleName(s.TEXT_NAME)
        self.document().setDocumentMargin(2 * GRID)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines are no longer than is easily read, however wide the view is."""
        most = round(_MEASURE * self.fontMetrics().averageCharWidth() + 4 * GRID)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(min(most, self.viewport().width()))
        super().resizeEvent(event)

    def loadResource(self, type: int, name: QUrl | str) -> object:
        return None  # no picture of a note is fetched, from the disk or from the network

    def show_markdown(self, text: str, snippet: str, words: Sequence[str]) -> None:
        """The note, scrolled to the passage, the words that matched marked."""
        self._shown = (text, snippet, words)
        self.setFont(theme.font(QApplication.font(), 0.5))
        set_document(self.document(), text, self.font(), theme.of(self.palette()))
        self._place_shown = place = self._passage(snippet)
        self.mark(words)
        cursor = QTextCursor(self.document())
        cursor.setPosition(place)
        self.setTextCursor(cursor)
        if place:
            above = self.cursorRect(cursor).top() - self.viewport().height() // 3
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + above)

    def changeEvent(self, event: QEvent) -> None:
        """Other colours: set again, where it was."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._shown[0]:
            at = self.verticalScrollBar().value()
            self.show_markdown(*self._shown)
            self.verticalScrollBar().setValue(at)

    def _passage(self, snippet: str) -> int:
        """Where the passage begins: by the first of its words that follow each other here, too."""
        text, words = self.toPlainText(), _WORDS.findall(snippet)
        for first in range(max(1, min(len(words), _TRIED) - _IN_A_ROW + 1)):
            for start, _ in places(text, [" ".join(words[first : first + _IN_A_ROW])]):
                return Positions(text)(start)
        return 0

    def mark(self, words: Sequence[str]) -> None:
        """Mark the words that matched in the passage; it stays where it is."""
        text, snippet, _ = self._shown
        self._shown = (text, snippet, words)
        start = self._place_shown
        end = start + round(1.2 * len(snippet)) if start else -1  # to the end of the note
        style = QTextCharFormat()
        style.setBackground(theme.of(self.palette()).mark)
        style.setForeground(theme.of(self.palette()).text)
        text = self.toPlainText()
        at = Positions(text)
        stop = -1 if end < 0 else at.index(end)
        selections: list[QTextEdit.ExtraSelection] = []
        for low, high in places(text, words, at.index(start), stop):
            cursor = QTextCursor(self.document())
            cursor.setPosition(at(low))
            cursor.setPosition(at(high), QTextCursor.MoveMode.KeepAnchor)
            selections.append(selection(cursor, style))
        self.setExtraSelections(selections)

    # Links

    def follow(self, link: QUrl) -> None:
        """A link was clicked: to a heading of the note, or out into the web."""
        if not link.scheme() and not link.path() and link.hasFragment():
            self._to_heading(link.fragment())
        elif link.scheme() in _WEB:
            QDesktopServices.openUrl(link)

    def _to_heading(self, wanted: str) -> None:
        for block in blocks(self.document()):
            if block.blockFormat().headingLevel() and _slug(block.text()) == _slug(wanted):
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(round(top) - GRID)
                return

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            # Where a link leads is seen before it is followed.
            QToolTip.showText(event.globalPos(), self.anchorAt(event.pos()), self)
            return True
        return super().viewportEvent(event)

    # What Qt's own layout does not draw, or not in the palette's colours

    def _place(self, block: QTextBlock) -> QRectF:
        """Where a block lies in the viewport, with its margins."""
        away = QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return self.document().documentLayout().blockBoundingRect(block).translated(-QPointF(away))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_panels(painter)
        painter.end()
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_tasks(painter)
        painter.end()

    def _in_view(self) -> Iterator[tuple[QTextBlock, QRectF]]:
        """The blocks in view and where they lie; of code from its first line."""
        block = self.cursorForPosition(QPoint(0, 0)).block()
        while block.previous().isValid() and (is_code(block) or quoted(block)):
            block = block.previous()
        while block.isValid():
            place = self._place(block)
            if place.top() > self.viewport().height() + 2 * GRID:
                return
            yield block, place
            block = block.next()

    def _paint_panels(self, painter: QPainter) -> None:
        """A panel behind code, a bar beside what is quoted."""
        c = theme.of(self.palette())
        painter.setPen(Qt.PenStyle.NoPen)
        panel = QRectF()
        seen = list(self._in_view())
        for number, (block, place) in enumerate(seen):
            if is_code(block):
                panel = panel.united(place)
                after = seen[number + 1][0] if number + 1 < len(seen) else block.next()
                if not same_code(block, after):
                    painter.setBrush(c.raised)
                    panel.setRight(self.lineWrapColumnOrWidth() - 2 * GRID)
                    painter.drawRoundedRect(panel.adjusted(0, -GRID, 0, GRID), 6, 6)
                    panel = QRectF()
            painter.setBrush(c.line)
            for level in range(quoted(block)):
                left = 2 * GRID * (level + 1)
                painter.drawRect(QRectF(left, place.top() - HALF, 3, place.height() + GRID))

    def _paint_tasks(self, painter: QPainter) -> None:
        """The boxes of tasks, as those of the window are."""
        c = theme.of(self.palette())
        for block, place in self._in_view():
            marker = block.blockFormat().marker()
            # Qt leaves the marker of a list's last item on what follows the list.
            none = marker == _MARKERS.NoMarker or block.textList() is None
            if none or not block.layout().lineCount():
                continue
            line = block.layout().lineAt(0)
            text = place.left() + line.x()
            box = QRectF(text - _BOX - 6, 0, _BOX, _BOX)
            box.moveTop(round(place.top() + line.y() + (line.height() - _BOX) / 2))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c.window)
            painter.drawRect(box.adjusted(-1, -2, 5, 2))  # what Qt drew
            done = marker == _MARKERS.Checked
            painter.setPen(QPen(c.accent if done else c.edge, 1.2))
            painter.setBrush(c.accent if done else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 3, 3)
            if done:
                painter.setPen(QPen(c.on_accent, 1.8))
                corner = box.topLeft()
                tick = [corner + QPointF(*at) for at in ((3.5, 7.2), (6, 9.8), (10.5, 4.5))]
                painter.drawPolyline(tick)


def _slug(heading: str) -> str:
    """What a heading is called in links: small letters and hyphens."""
    return "-".join(re.findall(r"\w+", heading.lower()))
