"""The search field: text, and perhaps a picture to search with."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop import icons, theme
from desktop import strings as s
from desktop.asking import strings as asking
from desktop.theme import GRID, HALF
from desktop.widgets.field import Field
from desktop.window.query_picture import picture_in


class SearchField(Field):
    """A line edit that hands movement keys to the list and pictures to the search."""

    moved = Signal(int)  # rows; ±1000 for a page
    opened = Signal()
    picture_pasted = Signal(object)  # QMimeData

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves: dict[int, int] = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: 1000,
            Qt.Key.Key_PageUp: -1000,
        }
        key, modifiers = event.key(), event.modifiers()
        plain = modifiers in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if plain and key in moves:
            self.moved.emit(moves[key])
        elif plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def paste_anything(self) -> None:
        """A picture on the clipboard becomes the query's picture, text goes into the field."""
        data = QGuiApplication.clipboard().mimeData()
        if picture_in(data):
            self.picture_pasted.emit(data)
        else:
            self.paste()


class SearchBar(QWidget):
    """Magnifier, picture, text, clear: the one place where a question is put."""

    changed = Signal(str)
    picture_removed = Signal()
    attach_clicked = Signal()
    menu_clicked = Signal()
    ask_clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._busy = False
        self.field = SearchField(self)
        self.field.setProperty("class", "plain")
        self.field.setFrame(False)
        self.field.setFont(theme.font(self.font(), 5))
        self.field.setPlaceholderText(s.SEARCH_PLACEHOLDER)
        self.field.setAccessibleName(s.SEARCH_NAME)
        self.field.setAccessibleDescription(s.SEARCH_PLACEHOLDER)
        self.field.setAcceptDrops(False)  # the whole window takes drops
        self.field.installEventFilter(self)
        self.picture = PictureChip(self)
        self.ask = QPushButton(asking.ASK, self)
        self.ask.setProperty("class", "quiet")
        self.ask.setToolTip(asking.ASK_TIP.format(keys=_native("Ctrl+Return")))
        self.clear = self._button(s.CLEAR_SEARCH)
        self.attach = self._button(s.ATTACH_PICTURE)
        self.menu = self._button(s.MENU)
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(6 * GRID, HALF, GRID, HALF)
        self.line.setSpacing(HALF)
        self.line.addWidget(self.picture)
        self.line.addWidget(self.field, 1)
        for button in (self.ask, self.clear, self.attach, self.menu):
            self.line.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(max(6 * GRID + HALF, self.field.sizeHint().height() + 2 * GRID))
        self.field.textChanged.connect(self._text_changed)
        self.ask.clicked.connect(self.ask_clicked)
        self.clear.clicked.connect(self.field.clear)
        self.clear.clicked.connect(self.picture_removed)
        self.attach.clicked.connect(self.attach_clicked)
        self.menu.clicked.connect(self.menu_clicked)
        self.picture.clicked.connect(self.picture_removed)
        self._colour()
        self._text_changed("")

    def _button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setIconSize(QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def text(self) -> str:
        return self.field.text()

    def set_text(self, text: str) -> None:
        """Replace the text; `changed` follows if it differs."""
        if text != self.field.text():
            self.field.setText(text)

    def focus(self, select: bool = True) -> None:
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if select:
            self.field.selectAll()

    def show_picture(self, image: QImage | None, name: str = "") -> None:
        """The picture that is searched with, or none."""
        self.picture.show_image(image, name)
        self._text_changed(self.field.text())

    def set_busy(self, busy: bool) -> None:
        """A thin line under the field while an answer is awaited."""
        if busy != self._busy:
            self._busy = busy
            self.update()

    def _text_changed(self, text: str) -> None:
        self.ask.setVisible(bool(text.strip()))
        self.clear.setVisible(bool(text) or self.picture.isVisibleTo(self))
        self.changed.emit(text)

    def _colour(self) -> None:
        c = theme.of(self.palette())
        for button, icon in ((self.clear, "close"), (self.attach, "picture"), (self.menu, "menu")):
            button.setIcon(icons.icon(icon, c.muted, size=20))
        self.ask.setIcon(icons.icon("ask", c.link))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # QLineEdit.paste is not virtual, and would drop a picture.
        if (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Paste)
        ):
            self.field.paste_anything()
            return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        glyph = QRectF(0, 0, 22, 22)
        glyph.moveCenter(QRectF(2 * GRID, 0, 22, self.height()).center())
        icons.paint(painter, "search", c.accent if self._busy else c.muted, glyph)
        painter.end()


def _native(keys: str) -> str:
    """Keys as the platform writes them."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class PictureChip(QToolButton):
    """The query's picture, small, inside the field; a click takes it away."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._pixmap: QPixmap | None = None
        self.setFixedSize(5 * GRID + HALF, 5 * GRID)
        self.setToolTip(s.REMOVE_PICTURE)
        self.setAccessibleName(s.QUERY_PICTURE)
        self.setAccessibleDescription(s.REMOVE_PICTURE)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.hide()

    def show_image(self, image: QImage | None, name: str) -> None:
        self._pixmap = None if image is None or image.isNull() else QPixmap.fromImage(image)
        self.setToolTip(f"{name}\n{s.REMOVE_PICTURE}" if name else s.REMOVE_PICTURE)
        self.setVisible(image is not None)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        outline = QPainterPath()
        outline.addRoundedRect(area, 6, 6)
        painter.setClipPath(outline)
        painter.fillRect(area, c.raised)
        if self._pixmap is not None:
            source = QRectF(self._pixmap.rect())
            ratio = max(area.width() / source.width(), area.height() / source.height())
            where = QRectF(0, 0, source.width() * ratio, source.height() * ratio)
            where.moveCenter(area.center())
            painter.drawPixmap(where, self._pixmap, source)
        if self.underMouse() or self.hasFocus():
            veil = QColor(c.window)
            veil.setAlphaF(0.75)
            painter.fillRect(area, veil)
            glyph = QRectF(0, 0, 16, 16)
            glyph.moveCenter(area.center())
            icons.paint(painter, "close", c.text, glyph)
        painter.setClipping(False)
        painter.setPen(c.accent if self.hasFocus() else c.line)
        painter.drawPath(outline)
        painter.end()
