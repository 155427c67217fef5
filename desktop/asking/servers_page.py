"""In place of an answer: that a language model is needed and how to get one, or that another
computer is to be allowed first."""

from __future__ import annotations

from functools import partial

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
    confirm_wanted = Signal(str)  # the host
    only_here_wanted = Signal()
    copied = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(s.NO_SERVER)
        self.buttons: list[QPushButton] = []
        self._column = QVBoxLayout()

    def show_servers(self, servers: Servers) -> None:
        """The page for what was found."""
        page = QWidget(self)
        self.buttons = []
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        self._column.setSpacing(GRID + HALF)
        if servers.to_confirm:
            self._other_computer(servers.to_confirm)
        elif servers.forbidden_by and not servers.server:
            self._forbidden(servers.forbidden_by)
        else:
            self._none(servers)
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

    def _none(self, servers: Servers) -> None:
        self._head(s.NO_SERVER)
        self._say(s.NO_SERVER_WHY)
        failing = [one for one in servers.servers if one.error is not None]
        if failing:
            self._column.addSpacing(GRID)
            self._say(s.SERVER_FAILS, bold=True)
        for server in failing:
            self._failing(server)
        for way in servers.how_to:
            self._way(way)
        self._column.addSpacing(HALF)
        self._buttons(self._button(s.LOOK_AGAIN, self.look_again.emit))

    def _failing(self, server: LanguageServer) -> None:
        name = " ".join(filter(None, (server.name, server.url)))
        try:
            why = telling.said(InklingError.of(server.error or {}))
        except (KeyError, TypeError, ValueError):
            why = ""
        self._say(f"{name}: {why}" if why else name)

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

    def _button(self, text: str, then: object) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(lambda _checked=False: then())  # type: ignore[operator]
        self.buttons.append(button)
        return button

    def _buttons(self, *buttons: QPushButton) -> None:
        line = QHBoxLayout()
        line.setSpacing(GRID)
        for button in buttons:
            line.addWidget(button)
        line.addStretch(1)
        self._column.addLayout(line)


def _fixed(text: str, parent: QWidget) -> QLabel:
    """Commands or a path, as they are typed."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("class", "typed")
    label.setFont(theme.fixed_font())
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
