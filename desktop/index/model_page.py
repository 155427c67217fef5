"""The models that understand the files: seeing pictures, offered; below it every model, its licence
and figures, switching, downloading."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.index.encoder_card import EncoderCard
from desktop.index.sight_card import SightCard
from desktop.presentation import model_strings as ms
from desktop.theme import GRID, HALF
from desktop.wording import figures
from desktop.wording.language import tr
from engine.contract.errors import InklingError


class ModelPage(QWidget):
    """One card for each model; a licence is accepted before anything is downloaded."""

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        inner = QWidget(self)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(GRID, 2 * GRID, GRID, GRID)
        self._column.setSpacing(3 * GRID)
        self.sight = SightCard(self)
        self.sight.wanted.connect(self._see)
        self.sight.stopped.connect(lambda: self._use("", "sight"))
        self._column.addWidget(self.sight)
        self.encoder = EncoderCard(self)
        self.encoder.use_wanted.connect(
            lambda address, token: self._encode("use", {"address": address, "token": token})
        )
        self.encoder.confirm_wanted.connect(lambda typed: self._encode("confirm", {"host": typed}))
        self.encoder.leave_wanted.connect(lambda: self._encode("local", {}))
        self._column.addWidget(self.encoder)
        heading = QLabel(ms.MODELS_ALL, self)
        heading.setFont(theme.font(self.font(), 0.5, bold=True))
        self._column.addWidget(heading)
        self._column.addStretch(1)
        self._kept = self._column.count()  # what stays when the rows are drawn anew
        self._shown: dict[str, Any] = {}
        self._poll = QTimer(self)  # while a download runs
        self._poll.setSingleShot(True)
        self._poll.setInterval(1_000)
        self._poll.timeout.connect(self.load)

    def load(self) -> None:
        self._service.call(
            lambda client: client.call("GET", "/v1/models"), self.show_models, key="models"
        )
        self._service.call(
            lambda client: client.call("GET", "/v1/encoder"),
            self.encoder.show_encoder,
            key="encoder",
        )

    def _encode(self, what: str, body: dict[str, Any]) -> None:
        """Name an encoder, confirm it, leave it; shown as it answers."""
        self._service.call(
            lambda client: client.call("POST", f"/v1/encoder/{what}", body),
            self._encoder_told,
            self._failed,
        )

    def _encoder_told(self, told: dict[str, Any]) -> None:
        self.encoder.show_encoder(told)
        self._service.refresh()

    def show_models(self, answer: dict[str, Any]) -> None:
        """Draw the cards anew where something changed."""
        if any(_progress(model) is not None for model in answer.get("models", ())):
            self._poll.start()
        self.sight.show_models(answer)
        if answer == self._shown:
            return
        self._shown = answer
        while self._column.count() > self._kept:
            item = self._column.takeAt(self._kept - 1)
            if item is not None and (widget := item.widget()):
                widget.deleteLater()
        for model in answer.get("models", ()):
            card = self._card(model, str(model.get("id")) == str(answer.get("current")))
            self._column.insertWidget(self._column.count() - 1, card)

    def _card(self, model: dict[str, Any], current: bool) -> QWidget:
        card = QWidget(self)
        title = QLabel(_title(model), card)
        title.setWordWrap(True)
        title.setFont(theme.font(self.font(), 1, bold=True))
        about = QLabel(_about(model), card)
        about.setWordWrap(True)
        about.setTextFormat(Qt.TextFormat.PlainText)
        about.setForegroundRole(about.palette().ColorRole.PlaceholderText)
        texts = QVBoxLayout()
        texts.setSpacing(HALF)
        texts.addWidget(title)
        texts.addWidget(about)
        if error := model.get("error"):
            texts.addWidget(self._trouble(error, card))
        progress = _progress(model)
        if progress is not None:
            bar = QProgressBar(card)
            bar.setTextVisible(False)
            bar.setMaximum(1000)
            bar.setValue(round(1000 * progress))
            bar.setAccessibleName(title.text())
            texts.addWidget(bar)
        row = QHBoxLayout(card)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        row.addLayout(texts, 1)
        row.addLayout(self._buttons(model, card, title.text(), current=current))
        return card

    def _buttons(
        self, model: dict[str, Any], card: QWidget, title: str, *, current: bool
    ) -> QVBoxLayout:
        """What can be done with a model now."""
        buttons = QVBoxLayout()
        buttons.setSpacing(HALF)
        for used, said in ((current, s.MODEL_CURRENT), (model.get("sees"), ms.MODEL_SEES)):
            if used:
                label = QLabel(said, card)
                label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
                buttons.addWidget(label)
        if model.get("activity") == "downloading":
            pause = self._button(ms.MODEL_PAUSE, card, title)
            pause.clicked.connect(partial(self._pause, str(model["id"])))
            buttons.addWidget(pause)
        elif not current:
            busy = _progress(model) is not None
            use = self._button(_use_label(model), card, title)
            use.setEnabled(not busy)
            use.clicked.connect(partial(self._ask, model))
            buttons.addWidget(use)
            if "sight" in model.get("roles", ()) and not model.get("sees"):
                sees = self._button(ms.MODEL_USE_FOR_SIGHT, card, title)
                sees.setEnabled(not busy)
                sees.clicked.connect(partial(self._ask, model, "sight"))
                buttons.addWidget(sees)
            there = model.get("index_bytes") or (model.get("bytes") and model.get("download_bytes"))
            if there and not model.get("sees"):
                away = self._button(s.MODEL_REMOVE, card, title)
                away.clicked.connect(partial(self._remove, str(model["id"])))
                buttons.addWidget(away)
        buttons.addStretch(1)
        return buttons

    def _button(self, text: str, card: QWidget, title: str) -> QPushButton:
        """One of several of the same text: who only hears it must hear whose it is."""
        button = QPushButton(text, card)
        button.setAccessibleName(s.MODEL_BUTTON.format(action=text, title=title))
        return button

    def _trouble(self, error: dict[str, Any], card: QWidget) -> QLabel:
        """What stands against a model."""
        label = QLabel(" ".join((str(error.get("message", "")), str(error.get("hint", "")))), card)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label

    def _see(self, offer: dict[str, Any]) -> None:
        """The offer is taken: its licence is asked for as any other's."""
        rows = self._shown.get("models", ())
        if model := next((row for row in rows if row.get("id") == offer.get("id")), None):
            self._ask(model, "sight")

    def _ask(self, model: dict[str, Any], role: str = "text") -> None:
        """Licence first, once; the present index answers until the new one is complete."""
        if model.get("licence_accepted") and model.get("available"):
            self._use(str(model["id"]), role)
            return
        box = QMessageBox(self)
        box.setText(s.MODEL_LICENCE_ASK.format(title=_title(model)))
        notice = str(model.get("notice") or _about(model))
        after = s.MODEL_REBUILD if role == "text" else ms.SIGHT_CHANGES
        box.setInformativeText(f"{notice}\n\n{after}")
        yes = box.addButton(_use_label(model), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        yes.clicked.connect(lambda: self._use(str(model["id"]), role))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _use(self, model_id: str, role: str = "text") -> None:
        body = {"id": model_id, "licence_accepted": True, "role": role}
        self._service.call(
            lambda client: client.call("POST", "/v1/models/use", body),
            lambda _answer: self._used(),
            self._failed,
        )

    def _used(self) -> None:
        self.load()
        self._service.refresh()  # the model is a setting: whoever shows it follows the status

    def _pause(self, model_id: str) -> None:
        """What was fetched is kept: it is gone on with from there."""
        self._service.call(
            lambda client: client.call("POST", "/v1/models/pause", {"id": model_id}),
            lambda _answer: self.load(),
            self._failed,
        )

    def _remove(self, model_id: str) -> None:
        """Its weights and its index; the ones in use stay."""
        self._service.call(
            lambda client: client.call("POST", "/v1/models/remove", {"id": model_id}),
            lambda _answer: self.load(),
            self._failed,
        )

    def _failed(self, error: InklingError) -> None:
        box = QMessageBox(self)
        box.setText(error.message)
        box.setInformativeText(error.hint)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


def _progress(model: dict[str, Any]) -> float | None:
    """The part downloaded or rebuilt, while that goes on."""
    value = model.get("progress")
    return min(max(float(value), 0.0), 1.0) if isinstance(value, int | float) else None


def _title(model: dict[str, Any]) -> str:
    return tr(str(model.get("title") or model.get("id")))


def _use_label(model: dict[str, Any]) -> str:
    there = bool(model.get("available", not model.get("download_bytes")))
    return s.MODEL_USE if there else s.MODEL_DOWNLOAD


def _about(model: dict[str, Any]) -> str:
    """What it does, licence, size, how large its index is; published figures in lines of their
    own."""
    licence = str(model.get("licence", ""))
    parts = [ms.MODEL_ROLES.get(tuple(model.get("roles", ())), ""), tr(licence)]
    if model.get("recommended"):
        parts.insert(0, ms.MODEL_RECOMMENDED)
    if model.get("commercial_use") is False and "no commercial use" not in licence:
        parts.append(s.MODEL_NON_COMMERCIAL)
    if size := int(model.get("download_bytes") or 0):
        parts.append(figures.size(size))
    else:
        parts.append(s.MODEL_INCLUDED)
    if index := int(model.get("index_bytes") or 0):
        parts.append(s.MODEL_INDEX.format(size=figures.size(index)))
    lines = [" · ".join(part for part in parts if part)]
    for figure in model.get("figures", ()):
        said = {name: tr(str(value)) for name, value in figure.items()}
        lines.append(ms.MODEL_FIGURE.format(**said))
    return "\n".join(lines)
