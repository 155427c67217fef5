"""Text previews: code with line numbers and colours, and prose."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
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
from desktop.preview.folding import LONG, Fold, folded, parts
from desktop.preview.loading import Text
from desktop.theme import GRID, HALF
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
        self._parts: dict[int, Fold] = {}  # that can be folded, by the block of their head
        self._folded: set[int] = set()  # heads
        self._open = False  # nothing is to be folded
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
        self.cursorPositionChanged.connect(self._reveal)

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
        self._folded, self._open = set(), False
        self.setAccessibleDescription("")
        self.setPlainText(content.text)
        lines = content.text.split("\n")
        found = parts(lines) if content.code and len(lines) > LONG else []
        self._parts = {fold.head: fold for fold in found}
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
        if self._parts and not self._open:
            self._fold({fold.head for fold in folded(self._parts.values(), self._tinted)})
        self.mark_words(words, first.position(), last.position() + last.length())
        self._centre(first)

    # Folding

    @property
    def can_fold(self) -> bool:
        """Whether it is long and has a place to fold around."""
        return bool(self._parts) and self._tinted is not None

    @property
    def has_parts(self) -> bool:
        """Whether there is anything to fold."""
        return bool(self._parts)

    @property
    def folded(self) -> list[Fold]:
        """What is folded, from the top."""
        return [self._parts[head] for head in sorted(self._folded)]

    def set_open(self, open_: bool) -> None:
        """Show all lines, or fold again what was not found; the passage stays where it is."""
        self._open = open_
        if self._tinted is not None:
            kept = folded(self._parts.values(), self._tinted)
            self._fold(set() if open_ else {fold.head for fold in kept})
            self._centre(self.document().findBlockByNumber(self._tinted[0]))

    def toggle_fold(self, head: int) -> None:
        """Fold the part below a line, or show it again."""
        if head in self._parts:
            self._fold(self._folded ^ {head})

    def fold_here(self) -> bool:
        """Fold the innermost part at the cursor, or show it again; whether there is one."""
        line = self.textCursor().block().blockNumber()
        around = [fold for fold in self._parts.values() if fold.head <= line <= fold.last]
        if not around:
            return False
        head = max(around, key=lambda fold: fold.head).head
        self.setTextCursor(QTextCursor(self.document().findBlockByNumber(head)))
        self.toggle_fold(head)
        return True

    def _tell_folds(self, changed: Sequence[Fold]) -> None:
        """A screen reader says what happened, and how it is now."""
        lines = sum(len(fold) for fold in self.folded)
        self.setAccessibleDescription(s.lines_folded(lines) if lines else "")
        if QAccessible.isActive() and self.isVisible():
            closed = any(fold.head in self._folded for fold in changed)
            count = sum(len(fold) for fold in changed)
            said = s.lines_folded(count) if closed else s.lines_shown(count)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, said))

    def _fold(self, heads: set[int]) -> None:
        if heads == self._folded:
            return
        document = self.document()
        changed = [self._parts[head] for head in heads ^ self._folded]
        self._folded = heads
        hidden = [fold for fold in self._parts.values() if fold.head in heads]
        inside = {line for fold in hidden for line in range(fold.first, fold.last + 1)}
        for fold in changed:
            block = document.findBlockByNumber(fold.first)
            start = block.position()
            while block.isValid() and block.blockNumber() <= fold.last:
                shown = block.blockNumber() not in inside
                block.setVisible(shown)
                block.setLineCount(max(1, block.layout().lineCount()) if shown else 0)
                block = block.next()
            end = block.position() if block.isValid() else document.characterCount()
            document.markContentsDirty(start, end - start)
        layout = document.documentLayout()
        layout.documentSizeChanged.emit(layout.documentSize())  # the scroll bar's length
        self._numbers.update()
        self.viewport().update()
        self._tell_folds(changed)

    def _reveal(self) -> None:
        """What is gone to, by searching in the text, is not left hidden."""
        line = self.textCursor().block().blockNumber()
        within = {h for h in self._folded if self._parts[h].first <= line <= self._parts[h].last}
        if within:
            self._fold(self._folded - within)
            self.ensureCursorVisible()

    def _marker(self, block: QTextBlock) -> QRectF:
        """Where a folded part is told of, behind its head."""
        place = self.blockBoundingGeometry(block).translated(self.contentOffset())
        wide = self.fontMetrics().horizontalAdvance(self._hidden(block)) + GRID
        left = block.layout().lineAt(0).naturalTextWidth() + place.left() + 2 * GRID
        most = self.viewport().width() - wide - GRID
        if left > most:  # on the end of a long head, of which nothing is to look out behind it
            left, wide = most, wide + GRID
        return QRectF(left, place.top() + 1, wide, self.fontMetrics().height() - 2)

    def _hidden(self, block: QTextBlock) -> str:
        return s.lines_hidden(len(self._parts[block.blockNumber()]))

    def _paint_markers(self) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        for block in self._in_view():
            if block.blockNumber() in self._folded:
                area = self._marker(block)
                painter.setPen(Qt.PenStyle.NoPen)
                if area.right() >= self.viewport().width():
                    painter.fillRect(area.adjusted(-HALF, 0, 0, 0), c.window)
                painter.setBrush(c.raised)
                painter.drawRoundedRect(area, 4, 4)
                painter.setPen(c.muted)
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self._hidden(block))
        painter.end()

    def _in_view(self) -> Iterator[QTextBlock]:
        """The blocks that are seen."""
        block, bottom = self.firstVisibleBlock(), self.viewport().height()
        while block.isValid():
            if block.isVisible():
                if (
                    self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
                    > bottom
                ):
                    return
                yield block
            block = block.next()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        block = self.cursorForPosition(at.toPoint()).block()
        if block.blockNumber() in self._folded and self._marker(block).contains(at):
            self.toggle_fold(block.blockNumber())
            return
        super().mousePressEvent(event)

    # Places

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
        if self._folded:
            self._paint_markers()

    def _tint_visible(self) -> None:
        """A bar beside the passage and a breath of its colour behind, as wide as the view."""
        if self._tinted is None:
            return
        c = theme.of(self.palette())
        tint = QColor(c.accent)
        tint.setAlphaF(0.08)
        painter = QPainter(self.viewport())
        for block in self._in_view():
            if block.blockNumber() > self._tinted[1]:
                break
            if block.blockNumber() >= self._tinted[0]:
                place = self.blockBoundingGeometry(block).translated(self.contentOffset())
                # To whole pixels: two that meet would else show a line where they do.
                top, end = round(place.top()), round(place.bottom())
                painter.fillRect(QRect(0, top, self.viewport().width(), end - top), tint)
                painter.fillRect(QRect(0, top, 3, end - top), c.accent)
        painter.end()

    def _colour_visible(self) -> None:
        if not self._runs:
            return
        dark = theme.of(self.palette()).dark
        for block in self._in_view():
            if block.blockNumber() not in self._coloured:
                self._coloured.add(block.blockNumber())
                block.layout().setFormats(self._formats(block, dark))

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
        """Draw the numbers of the lines in view, and what is folded or can be."""
        c = theme.of(self.palette())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        high = self.fontMetrics().height()
        for block in self._in_view():
            place = self.blockBoundingGeometry(block).translated(self.contentOffset())
            where = QRectF(0, place.top(), self._numbers.width() - 2.5 * GRID, high)
            number = str(self._first_line + block.blockNumber())
            painter.setPen(c.muted)
            painter.drawText(where, Qt.AlignmentFlag.AlignRight, number)
            if block.blockNumber() in self._parts:
                closed = block.blockNumber() in self._folded
                x, y = self._numbers.width() - 1.4 * GRID, place.top() + high / 2
                turned = ((-2, -4), (2, 0), (-2, 4)) if closed else ((-4, -2), (0, 2), (4, -2))
                painter.setPen(QPen(c.muted if closed else c.edge, 1.4))
                painter.drawPolyline([QPointF(x + dx, y + dy) for dx, dy in turned])

    def press_number(self, at: QPointF) -> None:
        """A click beside a line: what is below it is folded, or shown again."""
        block = self.cursorForPosition(QPoint(0, round(at.y()))).block()
        self.toggle_fold(block.blockNumber())


class _LineNumbers(QWidget):
    """The gutter of a TextView."""

    def __init__(self, owner: TextView) -> None:
        super().__init__(owner)
        self._owner = owner

    def sizeHint(self) -> QSize:
        return QSize(self._owner.numbers_width(), 0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._owner.press_number(event.position())

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
