"""A conversation to be read: questions, sentences with their citations, the draft behind them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from html import escape

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QApplication, QFrame, QTextBrowser, QTextEdit, QToolTip, QWidget

from desktop import theme
from desktop.asking import strings as s
from desktop.asking.conversation import Conversation, Exchange
from desktop.asking.writing import BLOCK, GAP, SCHEME, Chip, Style, Writer
from desktop.presentation import model_strings as ms
from desktop.theme import GRID, HALF
from engine.contract.asking import Sentence

_MEASURE = 76  # characters of a line that is easily read


class AnswerView(QTextBrowser):
    """Shows a conversation as it grows. Nothing in it is a link but its citations."""

    cited = Signal(int, int)  # exchange and number of a citation that was chosen
    dismissed = Signal()

    def __init__(
        self, conversation: Conversation, describe: Callable[[int, int], str], parent: QWidget
    ) -> None:
        """`describe`: a citation's source in a few words, by exchange and number."""
        super().__init__(parent)
        self._conversation, self._describe = conversation, describe
        self._followed = True  # the person has not scrolled: what is new is scrolled to
        self._moving = False
        self._top = 0  # position where the newest question begins
        self._current: tuple[int, int] | None = None  # the citation whose source is shown
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(s.ANSWER)
        self.anchorClicked.connect(self._clicked)
        self.highlighted.connect(self._pointed_at)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._follow)
        self._writer = self._new_writer()

    def _new_writer(self) -> Writer:
        font = theme.font(QApplication.font(), 0.5)
        self.setFont(font)
        return Writer(self.document(), font, theme.of(self.palette()))

    def loadResource(self, type: int, name: QUrl | str) -> object:
        return None  # nothing is fetched, from the disk or from the network

    # What is shown

    def rebuild(self) -> None:
        """All of it anew: another conversation, or other colours."""
        self._writer = self._new_writer()
        self._followed = True
        for number, exchange in enumerate(self._conversation.exchanges):
            self.begin(exchange)
            for sentence in exchange.sentences:
                self._writer.sentence(sentence.before, sentence.text, sentence.citations, number)
            if not exchange.running:
                self.end(exchange)

    def begin(self, exchange: Exchange) -> None:
        """A question was asked."""
        self._followed, self._current = True, None
        self._top = self._writer.question(exchange.question)
        self._follow()

    def sentence(self, sentence: Sentence) -> None:
        """A sentence is proven: it takes the place of its draft, and is said."""
        of = len(self._conversation.exchanges) - 1
        self._writer.sentence(sentence.before, sentence.text, sentence.citations, of)
        self._follow()
        if QAccessible.isActive():
            self._say(spoken(sentence))

    def tail(self, text: str, style: Style) -> None:
        """What stands at the end for now: the draft, or what is waited for."""
        self._writer.tail(text, style)
        self._follow()

    def drop_tail(self) -> None:
        self._writer.drop_tail()

    def end(self, exchange: Exchange) -> None:
        """No more comes: what is to be known of it stands below."""
        self._writer.drop_tail()
        for line in remarks(exchange):
            self._writer.note(line)
            if QAccessible.isActive():
                self._say(line)
        self._follow()

    def mark(self, exchange: int, number: int) -> None:
        """The source of this citation is the one that is shown."""
        self._current = (exchange, number)
        self.viewport().update()

    def _say(self, text: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    # Scrolling

    def _follow(self) -> None:
        """What is new comes into view, as far as its question stays there: who reads from the
        beginning is not taken away from it."""
        if not self._followed:
            return
        bar = self.verticalScrollBar()
        self._moving = True
        bar.setValue(min(bar.maximum(), max(0, round(self._place(self._top).top()) - 2 * GRID)))
        self._moving = False

    def _place(self, position: int) -> QRectF:
        """Of the block at a position, from the document's upper left corner."""
        block = self.document().findBlock(position)
        return self.document().documentLayout().blockBoundingRect(block)

    def _scrolled(self) -> None:
        if not self._moving:
            self._followed = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines are no longer than is easily read, however wide the view is."""
        most = round(_MEASURE * self.fontMetrics().averageCharWidth() + 4 * GRID)
        # Else lines are broken anew as soon as an answer is longer than the view.
        bar = self.verticalScrollBar().sizeHint().width()
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(min(most, self.contentsRect().width() - bar))
        followed = self._followed
        super().resizeEvent(event)
        self._followed = followed
        self._follow()

    # Citations

    def _chip(self, link: QUrl) -> Chip | None:
        number = link.path()
        known = link.scheme() == SCHEME and number.isdigit() and int(number) < len(self.chips)
        return self.chips[int(number)] if known else None

    def tip(self, chip: Chip) -> str:
        """What a citation stands for, and what is to be known of it."""
        told = s.DOUBTFUL if chip.doubtful else s.UNREAD if chip.unread else ""
        said = self._describe(chip.exchange, chip.number)
        return "\n".join(filter(None, (told, said)))

    def _clicked(self, link: QUrl) -> None:
        if (chip := self._chip(link)) is not None:
            self.cited.emit(chip.exchange, chip.number)

    def _pointed_at(self, link: QUrl) -> None:
        """By key, too: what a citation stands for is told where it is."""
        chip = self._chip(link)
        if chip is None or self.underMouse() or not self.hasFocus():
            return
        said = self.tip(chip)
        QToolTip.showText(
            self.viewport().mapToGlobal(self.cursorRect().bottomLeft()), _plain(said), self
        )
        if QAccessible.isActive():
            self._say(said)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            chip = self._chip(QUrl(self.anchorAt(event.pos())))
            text = _plain(self.tip(chip)) if chip is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        """Text alone: nothing that another program would follow."""
        data = QMimeData()
        data.setText(self.textCursor().selection().toPlainText().replace(GAP, " "))
        return data

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_writer"):
            at, followed = self.verticalScrollBar().value(), self._followed
            self.rebuild()
            self._followed = followed
            self.verticalScrollBar().setValue(at)

    # What Qt's own layout does not draw

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_panels(painter, event.rect())
        self._paint_chips(painter)
        painter.end()
        super().paintEvent(event)

    def _away(self) -> QPointF:
        return QPointF(0, -self.verticalScrollBar().value())

    def _paint_panels(self, painter: QPainter, seen: QRect) -> None:
        """A panel behind code, a bar beside what is quoted."""
        c = theme.of(self.palette())
        painter.setPen(Qt.PenStyle.NoPen)
        block = self.cursorForPosition(QPoint(0, 0)).block()
        while block.previous().isValid() and block.blockFormat().property(BLOCK) == "code":
            block = block.previous()
        panel = QRectF()
        right = self.lineWrapColumnOrWidth() - 2 * GRID
        while block.isValid():
            kind = block.blockFormat().property(BLOCK)
            place = self._place(block.position()).translated(self._away())
            if kind == "code":
                panel = panel.united(place)
            if not panel.isEmpty() and (kind != "code" or not block.next().isValid()):
                panel.setLeft(2 * GRID)
                panel.setRight(right)
                painter.setBrush(c.raised)
                painter.drawRoundedRect(panel.adjusted(0, -HALF, 0, HALF + 2), 6, 6)
                panel = QRectF()
            if kind == "quote":
                painter.setBrush(c.line)
                painter.drawRect(QRectF(2 * GRID, place.top(), 3, place.height()))
            if place.top() > seen.bottom() and panel.isEmpty():
                return
            block = block.next()

    def _paint_chips(self, painter: QPainter) -> None:
        """The shapes of the citations in view."""
        c = theme.of(self.palette())
        port = self.viewport().rect()
        first = self.cursorForPosition(port.topLeft()).position()
        last = self.cursorForPosition(port.bottomRight()).position()
        chips = self._writer.chips
        focus = self.textCursor()
        at = bisect_left(chips, first, key=lambda chip: chip.end)
        while at < len(chips) and chips[at].start <= last:
            chip = chips[at]
            at += 1
            area = self.chip_area(chip)
            if area.isEmpty():
                continue
            chosen = (chip.exchange, chip.number) == self._current
            focused = self.hasFocus() and _within(focus, chip)
            _paint_chip(painter, area, c, chip, chosen=chosen, focused=focused)

    def chip_area(self, chip: Chip) -> QRectF:
        """Where a citation is in the viewport."""
        block = self.document().findBlock(chip.start)
        layout = block.layout()
        start = chip.start - block.position()
        line = layout.lineForTextPosition(start)
        if not line.isValid():
            return QRectF()
        left, right = (_x(line.cursorToX(at)) for at in (start, chip.end - block.position()))
        font = theme.font(self.font(), -1.5)
        high = QFontMetricsF(font).capHeight() + GRID + 1
        origin = self._place(block.position()).topLeft() + self._away()
        # The line is higher than its letters, which stand at its foot.
        base = origin.y() + line.y() + line.ascent()
        middle = base - QFontMetricsF(font).capHeight() / 2
        return QRectF(origin.x() + left - 0.5, middle - high / 2, right - left + 1, high)

    @property
    def chips(self) -> list[Chip]:
        """The citations, in their order."""
        return self._writer.chips


def _paint_chip(
    painter: QPainter, area: QRectF, c: theme.Colours, chip: Chip, *, chosen: bool, focused: bool
) -> None:
    edge = QColor(c.muted if chip.doubtful else c.link)
    back = QColor(c.selected) if chosen or not chip.doubtful else QColor(0, 0, 0, 0)
    wide = 2.0 if chosen and c.strong else 1.2
    pen = QPen(edge, wide) if chip.doubtful or chosen or c.strong else QPen(Qt.PenStyle.NoPen)
    if chip.doubtful:
        pen.setStyle(Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([1.6, 1.8])
    if focused:
        pen = QPen(c.focus, 2)
    painter.setPen(pen)
    painter.setBrush(back)
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)


def _within(cursor: QTextCursor, chip: Chip) -> bool:
    """Whether the keys are on this citation."""
    return cursor.hasSelection() and (cursor.selectionStart(), cursor.selectionEnd()) == (
        chip.start,
        chip.end,
    )


def _x(found: object) -> float:
    """Of what PySide makes of `cursorToX`: the place alone, or with the position it is of."""
    return float(found[0] if isinstance(found, tuple) else found)  # type: ignore[arg-type]


def _plain(text: str) -> str:
    """For a tooltip, which would take a file's words for HTML."""
    return f"<qt>{escape(text).replace(chr(10), '<br>')}</qt>" if text else ""


def spoken(sentence: Sentence) -> str:
    """A sentence with its citations, for who hears it."""
    told = [
        f"{s.source(one.number)}{', ' + s.DOUBTFUL if one.doubtful else ''}"
        for one in sentence.citations
    ]
    return " ".join([sentence.text.strip(), *told])


def remarks(exchange: Exchange) -> list[str]:
    """What is to be known of an answer that has ended."""
    done, told = exchange.finished, list[str]()
    if exchange.weak:
        return [s.WEAK]
    if exchange.sentences:
        told += [s.dropped(exchange.dropped)] if exchange.dropped else []
    elif exchange.dropped:
        told.append(s.NO_SENTENCE)
    elif done is not None and done.ending == "complete":
        told.append(s.EMPTY)
    if done is not None and done.ending in ("length", "stopped"):
        told.append(s.CUT if done.ending == "length" else s.STOPPED)
    if done is not None and (noticed := ms.noticed(done.notices)):
        told.append(noticed[0])
    return [" ".join(told)] if told else []
