"""The small panel: a search field and a few rows in the middle of the screen, one key away."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QHideEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection, Question
from desktop.presentation.thumbnails import Thumbnails
from desktop.results.model import ResultsModel
from desktop.results.view import ResultsView
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.theme import GRID, MARGIN
from desktop.window.entering import Entering
from desktop.window.result_commands import open_hit
from desktop.window.search_bar import SearchBar
from desktop.window.search_controller import SearchController
from desktop.wording import telling
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import FINAL, Answer

ROWS = 8
_WIDE = 92 * GRID
#: Of the screen's height that which lies above it: a little above the middle.
_ABOVE = 0.2


class Panel(QWidget):
    """Asks as the window does, opens, and goes; or grows into the window with the same question."""

    grown = Signal(object)  # Question
    asked = Signal(object)  # Question that is to be answered in sentences

    def __init__(
        self, base: BaseDir, settings: SettingsClient, state: State, service: IndexerConnection
    ) -> None:
        super().__init__(None, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
        self.setWindowTitle(s.APP)
        self._settings, self._state, self.service = settings, state, service
        self.thumbnails = Thumbnails(service.fetch_thumb, self)
        self.model = ResultsModel(self)
        self.search = SearchBar(self)
        self.search.attach.hide()
        self.search.menu.setToolTip(s.GROW)
        self.search.menu.setAccessibleName(s.GROW)
        self.results = ResultsView(self.model, self.thumbnails, self)
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field keeps the keys
        self.results.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.said = QLabel(self)
        self.said.setWordWrap(True)
        self.said.setContentsMargins(MARGIN, GRID, MARGIN, MARGIN)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        for part in (self.search, self.results, self.said):
            column.addWidget(part)
        self.ask = SearchController(
            self.search, service, base, settings, state, self.thumbnails, limit=ROWS
        )
        self.entering = Entering(self.ask, self.results, self._open)
        self._connect()
        self._show_rows()

    def _connect(self) -> None:
        field, service = self.search.field, self.service
        field.moved.connect(self._move)
        field.opened.connect(self.entering.pressed)
        field.dismissed.connect(self.close)
        self.search.menu_clicked.connect(self._grow)
        self.search.ask_clicked.connect(self._ask_in_window)
        self.results.opened.connect(self.entering.pressed)
        self.results.dismissed.connect(self.close)
        self.ask.asked.connect(self._asked)
        self.ask.emptied.connect(self._emptied)
        self.ask.failed.connect(self._tell)
        service.stage_arrived.connect(self._take_stage)
        service.search_finished.connect(self._answered)
        service.search_failed.connect(self._tell)
        service.unavailable.connect(self._tell)

    # Coming and going

    def appear(self) -> None:
        """In the middle of the screen where the pointer is, what was asked last chosen."""
        self.service.start()  # at a line that has gone a question would fail first
        screen = QGuiApplication.screenAt(self.cursor().pos()) or self.screen()
        room = screen.availableGeometry()
        self.setFixedWidth(min(_WIDE, room.width() - 2 * GRID))
        left = room.x() + (room.width() - self.width()) // 2
        self.move(QPoint(left, room.y() + round(_ABOVE * room.height())))
        self._show_rows()
        self.show()
        self.raise_()
        self.activateWindow()
        self.search.focus()

    def toggle(self) -> None:
        """The key: it comes, or goes where it has the keys."""
        if self.isVisible() and self.isActiveWindow():
            self.close()
        else:
            self.appear()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.entering.forget()  # nothing is opened behind a person's back
        self.service.let_go()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What the field does not take."""
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if control and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._ask_in_window()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # Whoever turns to another window is done with it.
        if event.type() == QEvent.Type.WindowDeactivate and QGuiApplication.modalWindow() is None:
            self.close()
        return super().event(event)

    def shut_down(self) -> None:
        self.ask.close()
        self.thumbnails.close()
        self.service.close()
        self.deleteLater()

    # Answers

    def _asked(self, new: bool) -> None:
        self.said.clear()
        self.search.set_busy(True)
        if new:
            self.results.start()
        else:
            self.results.again()

    def _emptied(self) -> None:
        self.search.set_busy(False)
        self.model.take(())
        self.said.clear()
        self._show_rows()

    def _take_stage(self, stage: Answer) -> None:
        if not self.ask.goes_on(stage) or (stage.stage == "names" and not stage.hits):
            return
        self.model.take(stage.hits[:ROWS], stage.matches)
        self.results.settle()
        if stage.stage in FINAL:
            nothing = s.NOTHING if not stage.hits else s.WEAK if stage.weak else ""
            self.said.setText(telling.covered(stage.coverage) or nothing)
        self._show_rows()
        self.entering.took(stage)

    def _answered(self) -> None:
        self.ask.ended()
        self.entering.forget()
        self.search.set_busy(False)
        if self.model.stale or not self.model.rowCount():  # nothing came: old rows are no answer
            self.model.take(())
            self.said.setText(self.said.text() or s.NOTHING)
            self._show_rows()

    def _tell(self, error: InklingError) -> None:
        self.ask.ended()
        self.entering.forget()
        self.search.set_busy(False)
        self.said.setText(telling.said(error))
        self._show_rows()

    def _show_rows(self) -> None:
        """As high as what there is to see."""
        rows = self.model.rowCount()
        self.results.setVisible(rows > 0)
        self.results.setFixedHeight(self.results.geometry_now().height + GRID if rows else 0)
        self.said.setVisible(bool(self.said.text()))
        self._column.activate()
        self.resize(self.width(), self.sizeHint().height())

    # What is done

    def _move(self, rows: int) -> None:
        last = self.model.rowCount() - 1
        if rows > 0 and self.results.currentIndex().row() >= last and not self.ask.question.empty:
            if self.ask.settled and not self.model.stale:
                self._grow()  # there is more than is shown here
        else:
            self.results.step(rows)

    def _open(self) -> None:
        hit = self.results.hit()
        if hit is None:
            return
        try:
            open_hit(hit, self._settings.values, hit.location)
        except InklingError as error:
            self._tell(error)
            return
        self._state.note_opened(hit.path)
        self.ask.remember()
        self._state.save()
        self.close()

    def _grow(self) -> None:
        question: Question = self.ask.question
        self.close()
        self.grown.emit(question)

    def _ask_in_window(self) -> None:
        question: Question = self.ask.question
        if question.text.strip():
            self.close()
            self.asked.emit(question)

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self)
        painter.fillRect(self.rect(), c.window)
        painter.setPen(QColor(c.edge))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
