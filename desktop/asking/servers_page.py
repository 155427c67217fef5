"""In place of an answer: that a language model is needed and how to get one, or that another
computer is to be allowed first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.asking import strings as s
from desktop.theme import GRID, HALF
from desktop.wording import telling
from engine.contract.asking import HowTo, LanguageServer, Servers
from engine.contract.errors import InklingError


class ServersPage(QScrollArea):
    """A heading, a sentence, what to do; made anew for what was found."""

    look_again = Signal()
    model_chosen = Signal(str, str)  # address of a server, a model's id
    confirm_wanted = Signal(str)  # the host
    only_here_wanted = Signal()
    copied = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(s.NO_SERVER)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its buttons take the keys
        self.buttons: list[QPushButton] = []
        self._column = QVBoxLayout()

    def show_servers(self, servers: Servers) -> None:
        """The page for what was found."""
        page = QWidget(self)
        self.buttons = []
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        self._column.setSpacing(GRID + HALF)
        failing = [one for one in servers.servers if one.error is not None]
        if servers.to_confirm:
            self._other_computer(servers.to_confirm)
        elif servers.error is not None:
            self._head(s.NO_ANSWERS)
            self._say(_told(servers.error))
        elif servers.forbidden_by and any(not one.local for one in failing):
            self._forbidden(servers.forbidden_by)
        elif any(one.models and one.error is None for one in servers.servers):
            self._others(servers, failing)
        else:
            self._none(servers, failing)
        self._column.addStretch(1)
        self.setWidget(page)  # which ends the one before

    def _other_computer(self, host: str) -> None:
        self._head(s.OTHER_COMPUTER)
        self._say(s.OTHER_WHY.format(host=host))
        self._buttons(
            self._button(s.CONFIRM, partial(self.confirm_wanted.emit, host)),
            self._button(s.ONLY_HERE, self.only_here_wanted.emit),
        )

    def _forbidden(self, path: str) -> None:
        self._head(s.FORBIDDEN)
        self._say(s.FORBIDDEN_WHY)
        self._column.addWidget(_fixed(path, self))
        self._buttons(self._button(s.ONLY_HERE, self.only_here_wanted.emit))

    def _others(self, servers: Servers, failing: Sequence[LanguageServer]) -> None:
        """The one that is named can't be asked, but there are others."""
        self._head(s.CHOOSE_MODEL)
        for server in failing:
            self._failing(server)
        for server in servers.servers:
            for model in server.models if server.error is None else ():
                words = s.MODEL_AT.format(model=model.id, server=named(server))
                chosen = partial(self.model_chosen.emit, server.url, model.id)
                self._buttons(self._button(words.replace("&", "&&"), chosen))
        self._column.addSpacing(HALF)
        self._buttons(self._button(s.LOOK_AGAIN, self.look_again.emit))

    def _none(self, servers: Servers, failing: Sequence[LanguageServer]) -> None:
        self._head(s.NO_SERVER)
        self._say(s.NO_SERVER_WHY)
        for server in failing:
            self._failing(server)
        for way in servers.how_to:
            self._way(way)
        self._column.addSpacing(HALF)
        self._buttons(self._button(s.LOOK_AGAIN, self.look_again.emit))

    def _failing(self, server: LanguageServer) -> None:
        """What is wrong with it; what helps is what this page offers."""
        self._say(_told(server.error or {}, telling.message) or server.url)

    def _way(self, way: HowTo) -> None:
        """A program: its name, the commands that get it, and where its makers say more."""
        self._column.addSpacing(GRID)
        line = QHBoxLayout()
        name = self._label(way.name, bold=True)
        line.addWidget(name)
        line.addStretch(1)
        if way.commands:
            copy = self._button(s.COPY, partial(self._copy, way.commands))
            copy.setProperty("class", "quiet")
            copy.setAccessibleName(s.COPY_COMMANDS.format(name=way.name))
            line.addWidget(copy)
        self._column.addLayout(line)
        if way.commands:
            self._column.addWidget(_fixed("\n".join(way.commands), self))
        if way.url:
            where = self._label(way.url)
            where.setForegroundRole(where.palette().ColorRole.PlaceholderText)
            where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._column.addWidget(where)

    def _copy(self, commands: tuple[str, ...]) -> None:
        QGuiApplication.clipboard().setText("\n".join(commands))
        self.copied.emit()

    # Parts

    def _head(self, text: str) -> None:
        label = self._label(text, bold=True)
        label.setFont(theme.font(self.font(), 3, bold=True))
        self._column.addWidget(label)

    def _say(self, text: str, *, bold: bool = False) -> None:
        self._column.addWidget(self._label(text, bold=bold))

    def _label(self, text: str, *, bold: bool = False) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        if bold:
            label.setFont(theme.font(self.font(), bold=True))
        return label

    def _button(self, text: str, then: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(lambda _checked=False: then())
        self.buttons.append(button)
        return button

    def _buttons(self, *buttons: QPushButton) -> None:
        line = QHBoxLayout()
        line.setSpacing(GRID)
        for button in buttons:
            line.addWidget(button)
        line.addStretch(1)
        self._column.addLayout(line)


def named(server: LanguageServer) -> str:
    """What a server is called, or where it is."""
    if server.local and server.name:
        return server.name
    return " ".join(filter(None, (server.name, host_of(server.url))))


def host_of(url: str) -> str:
    """A server's host, as a person names it."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _told(error: Mapping[str, Any], words: Callable[[InklingError], str] = telling.said) -> str:
    """An error as the window says it."""
    try:
        return words(InklingError.of(error))
    except (KeyError, TypeError, ValueError):
        return ""


def _fixed(text: str, parent: QWidget) -> QLabel:
    """Commands or a path, as they are typed."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("class", "typed")
    label.setFont(theme.fixed_font())
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
