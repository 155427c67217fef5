"""The strips around a preview: words and places above, pages and zoom below, find."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from desktop import strings as s
from desktop import theme
from desktop.theme import GRID, HALF
from desktop.widgets.fitting_row import FittingRow
from desktop.widgets.tool_button import ToolButton
from desktop.wording.language import tr
from engine.contract.types import Place

_MOST_PLACES = 6


class MatchStrip(FittingRow):
    """The query words that matched, and the other places of the file; one quiet line."""

    word_hovered = Signal(object)  # str | None
    place_chosen = Signal(object)  # Location

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, left=2 * GRID, bottom=HALF)

    def show_match(self, words: Sequence[str], others: Sequence[Place]) -> None:
        """Fill the line with the words and the places to go to; hidden where it would be empty."""
        self.empty()
        shown = [word for word in dict.fromkeys(words) if word][:5] if len(set(words)) > 1 else []
        if shown:
            self.put(self._label(s.WHERE_MATCHED))
            for word in shown:
                button = self._button(word)
                button.installEventFilter(self)
                button.setProperty("word", word)
                button.clicked.connect(partial(self.word_hovered.emit, word))
                self.put(button)
        places = [place for place in others if s.short_place(place.location)]
        if places:
            self.put(self._label(s.MORE_PLACES), gap=2 * GRID)
        for place in places[:_MOST_PLACES]:
            button = self._button(s.short_place(place.location))
            button.setToolTip(" ".join(place.snippet.split())[:200])
            button.clicked.connect(partial(self.place_chosen.emit, place.location))
            self.put(button)
        self.finish()

    def _label(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
        label.setFont(theme.font(self.font(), -1))
        return label

    def _button(self, text: str) -> QPushButton:
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, 18 * GRID)
        button = _Link(shown.replace("&", "&&"), self)
        button.setProperty("class", "quiet")
        button.setFont(theme.font(self.font(), -1))
        button.setAccessibleName(text)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        return button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Enter, QEvent.Type.FocusIn):
            self.word_hovered.emit(watched.property("word"))
        elif event.type() in (QEvent.Type.Leave, QEvent.Type.FocusOut):
            self.word_hovered.emit(None)
        return super().eventFilter(watched, event)


class _Link(QPushButton):
    """A button that leaves Up and Down, with which Qt walks along a row of buttons, to the list."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
        else:
            super().keyPressEvent(event)


class ViewBar(QWidget):
    """Page turning, zoom, formatted or source: what the shown kind of preview offers."""

    page_step = Signal(int)
    zoom_step = Signal(int)  # 0: fit
    region_wanted = Signal()
    source_toggled = Signal(bool)
    open_toggled = Signal(bool)  # all lines are wanted, or folded again

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._previous = ToolButton(
            "chevron-left", s.FIND_PREVIOUS, self, lambda: self.page_step.emit(-1)
        )
        self._page = QLabel(self)
        self._page.setForegroundRole(self._page.palette().ColorRole.PlaceholderText)
        self._next = ToolButton("chevron-right", s.FIND_NEXT, self, lambda: self.page_step.emit(1))
        self._out = ToolButton("zoom-out", tr("Zoom out"), self, lambda: self.zoom_step.emit(-1))
        self._fit = ToolButton("fit", tr("Fit"), self, lambda: self.zoom_step.emit(0))
        self._in = ToolButton("zoom-in", tr("Zoom in"), self, lambda: self.zoom_step.emit(1))
        self._region = ToolButton("region", tr("Search a region"), self, self.region_wanted.emit)
        self._note = QLabel(self)
        self._note.setForegroundRole(self._note.palette().ColorRole.PlaceholderText)
        self._source = QPushButton(s.SOURCE, self)
        self._source.setProperty("class", "quiet")
        self._source.setCheckable(True)
        self._source.toggled.connect(self._toggle_source)
        self._open = QPushButton(s.UNFOLD, self)
        self._open.setProperty("class", "quiet")
        self._open.setCheckable(True)
        self._open.toggled.connect(self._toggle_open)
        for label in (self._page, self._note):
            label.setFont(theme.font(self.font(), -1))
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, HALF, GRID, HALF)
        row.setSpacing(HALF)
        for widget in (self._previous, self._page, self._next):
            row.addWidget(widget)
        self._note.setIndent(GRID)  # in line with the name above
        row.addWidget(self._note)
        row.addStretch(1)
        row.addWidget(self._open)
        row.addWidget(self._source)
        for tool in (self._region, self._out, self._fit, self._in):
            row.addWidget(tool)
        self.show_nothing()

    def _toggle_source(self, source: bool) -> None:
        self._source.setText(s.RENDERED if source else s.SOURCE)
        self.source_toggled.emit(source)

    def toggle_open(self) -> None:
        """All lines, or folded again, where that is offered."""
        if self._open.isVisibleTo(self):
            self._open.click()

    def _toggle_open(self, all_lines: bool) -> None:
        self._open.setText(s.FOLD if all_lines else s.UNFOLD)
        self.open_toggled.emit(all_lines)

    def show_nothing(self) -> None:
        self._offers = False
        self.hide()

    def show_picture(self, page: int | None, pages: int | None) -> None:
        """Zoom for a picture; turning, too, for a page."""
        self._offer(pages=page is not None, zoom=True, source=False)
        if page is not None:
            self._page.setText(s.page_of(page, pages))
            self._previous.setEnabled(page > 1)
            self._next.setEnabled(pages is None or page < pages)

    def show_text(self, markdown: bool, cut: bool, *, folds: bool = False) -> None:
        """Formatted or source for Markdown, all lines or folded for long code; a word where only a
        part is shown."""
        for button, text in ((self._source, s.SOURCE), (self._open, s.UNFOLD)):
            button.blockSignals(True)
            button.setChecked(False)
            button.setText(text)
            button.blockSignals(False)
        self._offer(pages=False, zoom=False, source=markdown, folds=folds)
        self.show_hint(s.PREVIEW_CUT if cut else "")

    def show_hint(self, text: str) -> None:
        """A word on what to do now."""
        self._note.setText(text)
        self._note.setVisible(bool(text))
        self.setVisible(self._offers or bool(text))

    def _offer(self, *, pages: bool, zoom: bool, source: bool, folds: bool = False) -> None:
        for widget in (self._previous, self._page, self._next):
            widget.setVisible(pages)
        for tool in (self._region, self._out, self._fit, self._in):
            tool.setVisible(zoom)
        self._source.setVisible(source)
        self._open.setVisible(folds)
        self._note.clear()
        self._note.hide()
        self._offers = pages or zoom or source or folds
        self.setVisible(self._offers)


class FindBar(QWidget):
    """Find in the shown text."""

    find_wanted = Signal(str, bool)  # text, backwards
    typed = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(s.FIND)
        self.field.setAccessibleName(s.FIND)
        self._result = QLabel(self)
        self._result.setForegroundRole(self._result.palette().ColorRole.PlaceholderText)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, HALF, GRID, HALF)
        row.setSpacing(HALF)
        row.addWidget(self.field, 1)
        row.addWidget(self._result)
        row.addWidget(ToolButton("chevron-up", s.FIND_PREVIOUS, self, lambda: self._emit(True)))
        row.addWidget(ToolButton("chevron-down", s.FIND_NEXT, self, lambda: self._emit(False)))
        row.addWidget(ToolButton("close", s.CLOSE, self, self.close_bar))
        self.field.textChanged.connect(self.typed)
        self.field.installEventFilter(self)
        self.hide()

    def open_bar(self) -> None:
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def close_bar(self) -> None:
        self.hide()
        self.closed.emit()

    def show_result(self, text: str) -> None:
        self._result.setText(text)

    def _emit(self, backwards: bool) -> None:
        self.find_wanted.emit(self.field.text(), backwards)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close_bar()
                return True
        return super().eventFilter(watched, event)
