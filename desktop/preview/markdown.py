"""Markdown as it is meant: headings, lists, tables and code in the palette's colours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QUrl
from PySide6.QtGui import (
    QFont,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextTable,
    QTextTableCellFormat,
)
from PySide6.QtWidgets import QApplication, QFrame, QTextBrowser, QTextEdit, QWidget

from desktop import strings as s
from desktop import theme
from desktop.preview.text import selection
from desktop.theme import GRID

#: Steps that a heading is larger than the text, by its level: 1.5 and 1.2 times.
_LARGER = {1: 2, 2: 1}
_KEEP = QTextCursor.MoveMode.KeepAnchor
_MEASURE = 72  # characters of a line that is easily read
_PLAIN_RUN = re.compile(r"[\w ,'’-]{12,60}")


class MarkdownView(QTextBrowser):
    """Markdown as it is meant; loads nothing from anywhere, follows no link by itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
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
        self.setFont(theme.font(QApplication.font(), 0.5))
        features = QTextDocument.MarkdownFeature
        self.document().setMarkdown(text, features.MarkdownDialectGitHub | features.MarkdownNoHTML)
        self._to_palette()
        place = self._passage(snippet)
        self._mark(words, place, place + round(1.2 * len(snippet)) if place else -1)
        cursor = QTextCursor(self.document())
        cursor.setPosition(place)
        self.setTextCursor(cursor)
        if place:
            above = self.cursorRect(cursor).top() - self.viewport().height() // 3
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + above)

    def _passage(self, snippet: str) -> int:
        """Where the passage begins: by the first run of it that Markdown leaves unchanged."""
        for match in _PLAIN_RUN.finditer(snippet):
            found = self.document().find(match[0].strip())
            if not found.isNull():
                return found.selectionStart()
        return 0

    def _mark(self, words: Sequence[str], start: int, end: int) -> None:
        """Mark the words from start to end (-1: to the end of the note)."""
        style = QTextCharFormat()
        style.setBackground(theme.of(self.palette()).mark)
        selections: list[QTextEdit.ExtraSelection] = []
        for word in dict.fromkeys(w for w in words if w.strip()):
            cursor = self.document().find(word, start)
            while not cursor.isNull() and len(selections) < 80:
                if 0 <= end < cursor.selectionEnd():
                    break
                selections.append(selection(cursor, style))
                cursor = self.document().find(word, cursor)
        self.setExtraSelections(selections)

    def _to_palette(self) -> None:
        """Calm spacing, and code and tables in the palette's colours instead of Qt's greys."""
        c = theme.of(self.palette())
        cursor = QTextCursor(self.document())
        block = self.document().begin()
        while block.isValid():
            cursor.setPosition(block.position())
            cursor.mergeBlockFormat(_block_style(block, cursor.currentTable() is not None, c))
            if level := block.blockFormat().headingLevel():
                cursor.setPosition(block.position() + block.length() - 1, _KEEP)
                cursor.mergeCharFormat(_heading(level))
            fixed = QTextCharFormat()
            fixed.setBackground(c.raised)
            for part in block.textFormats():
                if part.format.fontFixedPitch():
                    cursor.setPosition(block.position() + part.start)
                    cursor.setPosition(
                        block.position() + part.start + part.length, QTextCursor.MoveMode.KeepAnchor
                    )
                    cursor.mergeCharFormat(fixed)
            block = block.next()
        for frame in self.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                _style_table(frame, c)


def _heading(level: int) -> QTextCharFormat:
    """Half as large again as the text and less: Qt makes the first level twice as large."""
    style = QTextCharFormat()
    style.setProperty(QTextFormat.Property.FontSizeAdjustment, _LARGER.get(level, 0))
    style.setFontWeight(QFont.Weight.DemiBold)
    return style


def _style_table(table: QTextTable, c: theme.Colours) -> None:
    """Hairlines, room around the text, a bold head: Qt's reader leaves its first cell plain."""
    style = table.format().toTableFormat()
    style.setBorder(1)
    style.setBorderBrush(c.line)
    style.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    style.setBorderCollapse(True)
    style.setCellPadding(6)
    style.setTopMargin(GRID)
    table.setFormat(style)
    for column in range(table.columns()):
        cell = table.cellAt(0, column)
        look = QTextTableCellFormat()
        look.setFontWeight(QFont.Weight.DemiBold)
        look.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignTop)
        cell.setFormat(look)
        cursor = cell.firstCursorPosition()
        cursor.setPosition(cell.lastPosition(), QTextCursor.MoveMode.KeepAnchor)
        bold = QTextCharFormat()
        bold.setFontWeight(QFont.Weight.DemiBold)
        cursor.mergeCharFormat(bold)


def _block_style(block: QTextBlock, in_table: bool, c: theme.Colours) -> QTextBlockFormat:
    """The spacing of a paragraph, heading, quotation or line of code, on the grid."""
    given, style = block.blockFormat(), QTextBlockFormat()
    style.setLineHeight(115, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    if in_table:
        style.setTopMargin(0)
        style.setBottomMargin(0)
    elif given.hasProperty(QTextFormat.Property.BlockCodeFence):
        style.setBackground(c.raised)
        style.setLeftMargin(GRID)
        style.setRightMargin(GRID)
    elif given.headingLevel():
        style.setTopMargin(2 * GRID if block.position() else 0)
        style.setBottomMargin(GRID)
    elif block.textList() is None:
        style.setTopMargin(GRID // 2)
        style.setBottomMargin(GRID)
    return style
