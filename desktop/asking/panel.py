"""The answer above its sources: the conversation, a field to ask on, what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import icons, theme
from desktop.asking import strings as s
from desktop.asking.answer_view import AnswerView
from desktop.asking.conversation import Conversation
from desktop.asking.servers_page import ServersPage, host_of, named
from desktop.theme import GRID, HALF
from desktop.widgets.elided_label import ElidedLabel
from desktop.widgets.field import Field
from desktop.widgets.tool_button import ToolButton
from engine.contract.asking import Found, Servers


class AskingPanel(QWidget):
    """Shows; what is wanted is told by signals."""

    follow_up_wanted = Signal(str)
    stop_wanted = Signal()
    again_wanted = Signal()
    models_wanted = Signal()
    model_chosen = Signal(str, str)  # address of a server, a model's id
    action_wanted = Signal(str)  # an action's id
    numbered_wanted = Signal(int)  # the number of a source
    dismissed = Signal()
    appeared = Signal()
    stops_changed = Signal()
    left_below = Signal()  # Down in the field

    def __init__(
        self, conversation: Conversation, describe: Callable[[int, int], str], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.view = AnswerView(conversation, describe, self)
        self.view.dismissed.connect(self.dismissed)
        self.servers = ServersPage(self)
        self.servers.model_chosen.connect(self.model_chosen)
        self.failure = QLabel(self)
        self.failure.setWordWrap(True)
        self.failure.setTextFormat(Qt.TextFormat.PlainText)
        self.again = QPushButton(s.TRY_AGAIN, self)
        self.again.clicked.connect(self.again_wanted)
        self.field = Field(self)
        self.field.setPlaceholderText(s.FOLLOW_UP)
        self.field.setAccessibleName(s.FOLLOW_UP)
        self.field.returnPressed.connect(self._follow_up)
        self.field.dismissed.connect(self.dismissed)
        self.stop = QPushButton(s.STOP, self)
        self.stop.clicked.connect(self.stop_wanted)
        self.model = QPushButton(self)
        self.model.setProperty("class", "quiet")
        self.model.setFont(theme.font(self.font(), -0.5))
        self.model.setToolTip(s.MODEL_TIP)
        self.model.clicked.connect(self.models_wanted)
        self.room = ElidedLabel(Qt.TextElideMode.ElideRight, self)
        self.room.setFont(theme.font(self.font(), -0.5))
        self.room.setForegroundRole(self.room.palette().ColorRole.PlaceholderText)
        self.buttons = [
            ToolButton(icon, name, self, partial(self.action_wanted.emit, action))
            for icon, name, action in (
                ("copy", s.COPY_ANSWER, "copy_answer"),
                ("info", s.GIVEN_TITLE, "given"),
                ("add", s.NEW_QUESTION, "new_question"),
            )
        ]
        self._stack = QStackedWidget(self)
        self._reading = QWidget(self)
        self._stack.addWidget(self._reading)
        self._stack.addWidget(self.servers)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        self._lay_out()
        for number in range(1, 10):
            key = QShortcut(QKeySequence(f"Alt+{number}"), self)
            key.activated.connect(lambda wanted=number: self.numbered_wanted.emit(wanted))
        self.setMinimumHeight(22 * GRID)
        self.begin()

    def _lay_out(self) -> None:
        failed = QHBoxLayout()
        failed.setContentsMargins(2 * GRID, GRID, 2 * GRID, 0)
        failed.setSpacing(2 * GRID)
        failed.addWidget(self.failure, 1)
        failed.addWidget(self.again, 0, Qt.AlignmentFlag.AlignTop)
        asked = QHBoxLayout()
        asked.setContentsMargins(2 * GRID, GRID, 2 * GRID, 0)
        asked.setSpacing(GRID)
        asked.addWidget(self.field, 1)
        asked.addWidget(self.stop)
        below = QHBoxLayout()
        below.setContentsMargins(GRID, HALF, GRID + HALF, HALF)
        below.setSpacing(HALF)
        below.addWidget(self.model)
        below.addWidget(self.room, 1)
        for button in self.buttons:
            below.addWidget(button)
        column = QVBoxLayout(self._reading)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.view, 1)
        for line in (failed, asked, below):
            column.addLayout(line)

    def sizeHint(self) -> QSize:
        return QSize(62 * GRID, 48 * GRID)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.appeared.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What neither button nor field takes."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        elif event.key() == Qt.Key.Key_Down and self.field.hasFocus():
            self.left_below.emit()
        else:
            super().keyPressEvent(event)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab goes to, in this order."""
        return (
            self.view, self.again, self.field, self.stop, self.model, *self.buttons,
            *self.servers.buttons,
        )  # fmt: skip

    # States

    def begin(self) -> None:
        """An answer is awaited."""
        self._stack.setCurrentWidget(self._reading)
        self.show_failure("")
        self.set_running(True)
        self.show_model(None)

    def set_running(self, running: bool) -> None:
        """Whether there is something to stop; the other buttons are of an answer that is there."""
        self.stop.setVisible(running)
        self.buttons[0].setEnabled(not running)

    def show_model(self, found: Found | None) -> None:
        """Who answers, and from how much."""
        name = found.model if found is not None else ""
        if found is not None and not found.local:
            name = s.MODEL_AT.format(model=name, server=host_of(found.server))
        shown = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, 30 * GRID)
        self.model.setText(shown.replace("&", "&&"))
        self.model.setAccessibleName(name)
        self.model.setVisible(bool(name))
        used = found is not None and found.room and not found.weak
        self.room.setText(
            s.given_room(found.tokens, found.room) if found is not None and used else ""
        )
        self.buttons[1].setEnabled(bool(name))

    def show_next_model(self) -> None:
        """Another one answers from the next question on."""
        self.model.setText(s.NEXT_MODEL)
        self.model.setAccessibleName(s.NEXT_MODEL)
        self.room.setText("")

    def show_failure(self, text: str) -> None:
        """What went wrong, with a way to try again; nothing with an empty text."""
        self.failure.setText(text)
        self.failure.setAccessibleName(text)
        for widget in (self.failure, self.again):
            widget.setVisible(bool(text))

    def show_servers(self, servers: Servers) -> None:
        """In place of an answer: why there can be none, and what to do."""
        self.servers.show_servers(servers)
        self._stack.setCurrentWidget(self.servers)
        self.stops_changed.emit()

    @property
    def reads(self) -> bool:
        """The conversation is shown, no page about models."""
        return self._stack.currentWidget() is self._reading

    def focus_field(self) -> None:
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def _follow_up(self) -> None:
        if text := self.field.text().strip():
            self.field.clear()
            self.follow_up_wanted.emit(text)

    # Which model

    def choose_model(self, servers: Servers) -> None:
        """A menu of what can be asked; the present one ticked."""
        menu = models_menu(self, servers, self.model_chosen.emit)
        menu.addSeparator()
        again = menu.addAction(s.LOOK_AGAIN)
        again.triggered.connect(lambda _checked=False: self.models_wanted.emit())
        menu.popup(self.model.mapToGlobal(QPoint(0, -menu.sizeHint().height())))


def models_menu(parent: QWidget, servers: Servers, chosen: Callable[[str, str], None]) -> QMenu:
    """Every model of every server; an eye where it sees."""
    menu = QMenu(parent)
    menu.setAccessibleName(s.CHOOSE_MODEL)
    menu.aboutToHide.connect(menu.deleteLater)
    eye = icons.icon("eye", theme.of(parent.palette()).muted)
    present = theme.font(menu.font(), bold=True)
    for server in servers.servers:
        for model in server.models:
            words = s.MODEL_AT.format(model=model.id, server=named(server))
            action = menu.addAction(words.replace("&", "&&"))
            action.setCheckable(True)
            if (server.url, model.id) == (servers.server, servers.model):
                action.setChecked(True)
                action.setFont(present)
            if model.sees:
                action.setIcon(eye)
                action.setText(f"{action.text()}\t{s.SEES}")
            action.triggered.connect(
                lambda _checked=False, url=server.url, name=model.id: chosen(url, name)
            )
    return menu
