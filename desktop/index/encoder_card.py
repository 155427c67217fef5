"""The encoder on another computer: its address, confirming it, how it goes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop import theme
from desktop.presentation import model_strings as ms
from desktop.theme import GRID, HALF
from desktop.wording import telling
from engine.contract.errors import InklingError


class EncoderCard(QWidget):
    """A small section of the models' page."""

    use_wanted = Signal(str, str)  # address, token
    confirm_wanted = Signal(str)  # what was typed
    leave_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = ""
        title = QLabel(ms.ENCODER_TITLE, self)
        title.setFont(theme.font(self.font(), 0.5, bold=True))
        self.state = QLabel(self)
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.address, self.token, self.typed = (QLineEdit(self) for _ in range(3))
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        for field, text in ((self.address, ms.ENCODER_ADDRESS), (self.token, ms.ENCODER_TOKEN)):
            field.setPlaceholderText(text)
            field.setAccessibleName(text)
        self.use = QPushButton(ms.ENCODER_USE, self)
        self.use.clicked.connect(
            lambda: self.use_wanted.emit(self.address.text().strip(), self.token.text().strip())
        )
        self.confirm = QPushButton(ms.ENCODER_CONFIRM, self)
        self.confirm.clicked.connect(lambda: self.confirm_wanted.emit(self.typed.text().strip()))
        self.typed.textChanged.connect(
            lambda text: self.confirm.setEnabled(text.strip().casefold() == self._host.casefold())
        )
        self.leave = QPushButton(ms.ENCODER_LEAVE, self)
        self.leave.setProperty("class", "quiet")
        self.leave.clicked.connect(self.leave_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(HALF)
        column.addWidget(title)
        column.addWidget(self.state)
        for parts in ((self.address, self.token, self.use), (self.typed, self.confirm)):
            row = QHBoxLayout()
            row.setSpacing(GRID)
            for part in parts:
                row.addWidget(part)
            column.addLayout(row)
        column.addWidget(self.leave, alignment=Qt.AlignmentFlag.AlignLeft)
        self.show_encoder({})

    def show_encoder(self, told: dict[str, Any]) -> None:
        """What the indexer tells of it."""
        self._host = str(told.get("to_confirm") or "")
        if not self.address.hasFocus() and told.get("address"):
            self.address.setText(str(told["address"]))
        self.state.setText(_said(told))
        for part in (self.typed, self.confirm):
            part.setVisible(bool(self._host))
        prompt = ms.ENCODER_TYPE.format(host=self._host)
        self.typed.setPlaceholderText(prompt)
        self.typed.setAccessibleName(prompt)
        self.confirm.setEnabled(False)
        self.leave.setVisible(bool(told.get("address")))
        if not told.get("address"):
            self.token.clear()


def _said(told: dict[str, Any]) -> str:
    """How it goes, in sentences."""
    host = str(told.get("host", ""))
    if not host:
        return ms.ENCODER_WHY
    if told.get("to_confirm"):
        return ms.ENCODER_SENDS.format(host=host)
    lines = []
    if serves := told.get("serves"):
        lines.append(ms.ENCODER_SERVES.format(host=host, title=serves["title"]))
    there, here = told["there"], told["here"]
    if error := told.get("error"):
        lines.append(ms.ENCODER_AWAY.format(host=host, why=_why(error)))
    elif there["encoded"]:
        rate = f"{there['per_second']:g}"
        lines.append(
            ms.ENCODER_USED.format(
                host=host, count=there["encoded"], rate=rate, here=here["encoded"]
            )
        )
    else:
        lines.append(ms.ENCODER_READY.format(host=host))
    if not told["weights_here"]:
        lines.append(ms.ENCODER_QUESTIONS)
    return " ".join(lines)


def _why(error: dict[str, Any]) -> str:
    try:
        return telling.said(InklingError.of(error))
    except (KeyError, TypeError, ValueError):
        return str(error.get("message", ""))
