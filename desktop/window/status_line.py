"""The line at the bottom: how far the index is, what went wrong, pause."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QWidget

from desktop import strings as s
from desktop import theme
from desktop.asking import strings as asking
from desktop.presentation import model_strings as ms
from desktop.theme import GRID, HALF
from desktop.widgets.elided_label import ElidedLabel
from desktop.wording import figures, telling
from desktop.wording.language import tr

_HOUR = 3600.0
_MESSAGE_MS = 4_000


class StatusLine(QWidget):
    """Progress with an end, never a spinner; short confirmations appear here, too."""

    index_wanted = Signal()
    problems_wanted = Signal()
    pause_wanted = Signal(object)  # seconds | None (until resumed)
    resume_wanted = Signal()
    sort_wanted = Signal()
    elsewhere_clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._fraction = 1.0
        self._level = "good"
        self._text = ""
        self._dot = _Dot(self)
        self.label = ElidedLabel(Qt.TextElideMode.ElideRight, self)
        self.label.setFont(theme.font(self.font(), -0.5))
        self.label.setForegroundRole(self.label.palette().ColorRole.PlaceholderText)
        self.problems = self._button()
        self.problems.clicked.connect(self.problems_wanted)
        self.pause = self._button()
        self.pause.clicked.connect(self._pause_clicked)
        self.index = self._button()
        self.index.setText(s.INDEX_TITLE)
        self.index.clicked.connect(self.index_wanted)
        self.elsewhere = self._button()
        self.elsewhere.setAccessibleDescription(f"{asking.ELSEWHERE_TIP} {s.OPENS_MENU}")
        self.elsewhere.setToolTip(asking.ELSEWHERE_TIP)
        self.elsewhere.clicked.connect(self.elsewhere_clicked)
        self.elsewhere.hide()
        self.encoder = self._button()
        self.encoder.setToolTip(ms.ENCODER_TIP)
        self.encoder.setAccessibleDescription(ms.ENCODER_TIP)
        self.encoder.clicked.connect(self.index_wanted)
        self.encoder.hide()
        self.count = QLabel(self)
        self.count.setFont(self.label.font())
        self.count.setTextFormat(Qt.TextFormat.PlainText)
        self.sort = self._button()
        self.sort.setAccessibleDescription(s.OPENS_MENU)
        self.sort.clicked.connect(self.sort_wanted)
        self.sort.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 0, GRID, 0)
        row.setSpacing(GRID)
        row.addWidget(self.count)
        row.addWidget(self.sort)
        row.addStretch(1)
        row.addWidget(self._dot)
        row.addWidget(self.label)
        for button in (self.elsewhere, self.encoder, self.problems, self.pause, self.index):
            row.addWidget(button)
        self.setFixedHeight(max(3 * GRID + HALF, self.fontMetrics().height() + GRID + HALF))
        self.setAccessibleName(s.STATUS_NAME)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.timeout.connect(self._show_text)
        self.show_starting()

    def _button(self) -> QPushButton:
        button = QPushButton(self)
        button.setProperty("class", "quiet")
        button.setFont(theme.font(self.font(), -0.5))
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        return button

    def show_count(self, text: str) -> None:
        """How many results there are, in words."""
        self.count.setText(text)
        self.count.setAccessibleName(text)
        self.count.setVisible(bool(text))

    def show_order(self, text: str) -> None:
        """By what they are sorted; nothing where there are none."""
        self.sort.setText(text)
        self.sort.setVisible(bool(text))

    def show_elsewhere(self, host: str) -> None:
        """Which other computer answers; nothing where none does."""
        self.elsewhere.setText(asking.ELSEWHERE.format(host=host).replace("&", "&&"))
        self.elsewhere.setVisible(bool(host))

    def _show_encoder(self, told: dict[str, Any]) -> None:
        """Which other computer encodes, for as long as one does."""
        there = bool(told.get("host")) and not told.get("local") and not told.get("to_confirm")
        said = ms.ENCODER_AT.format(host=told.get("host", "")) if there else ""
        self.encoder.setText(said.replace("&", "&&"))
        self.encoder.setVisible(there)

    def show_starting(self, sentence: str = s.STARTING) -> None:
        self._set(sentence, "muted", 1.0)
        self.problems.hide()
        self.pause.hide()

    def show_unavailable(self, sentence: str) -> None:
        self._set(sentence, "bad", 1.0)
        self.pause.hide()

    def show_status(self, status: dict[str, Any]) -> None:
        """What the indexer says of itself."""
        self._show_encoder((status.get("model") or {}).get("encoding") or {})
        totals = status.get("totals") or {}
        files, pending = int(totals.get("files", 0)), int(totals.get("pending", 0))
        state = str(status.get("state", "idle"))
        fraction = 1.0 if not files else (files - pending) / files
        text, level = self._sentence(status, state, files, pending)
        self._set(text, level, fraction)
        bad = int(totals.get("failed", 0))
        self.problems.setText(s.problems(bad))
        self.problems.setVisible(bad > 0)
        self._paused = state == "paused"
        self.pause.setText(s.RESUME if self._paused else s.PAUSE)
        self.pause.setVisible(self._paused or pending > 0 or state in ("scanning", "indexing"))

    def _sentence(
        self, status: dict[str, Any], state: str, files: int, pending: int
    ) -> tuple[str, str]:
        done = int((status.get("totals") or {}).get("done", 0))  # the others were only looked at
        away = sum(not folder.get("online", True) for folder in status.get("folders", ()))
        worst = [h for h in status.get("health", ()) if h.get("level") in ("error", "warning")]
        if worst:
            return tr(str(worst[0].get("title", ""))), "bad" if worst[0][
                "level"
            ] == "error" else "warn"
        if state == "starting":
            return s.STARTING, "muted"
        if not status.get("folders"):
            return s.NO_FOLDERS, "muted"
        if state == "paused":
            text = tr("Paused") + " · " + s.coverage(done, files)
            return text, "warn"
        if pending or state in ("scanning", "indexing"):
            parts = [s.coverage(done, files) if files else s.FOLDER_SCANNING]
            eta = status.get("eta_s")
            if pending and eta is not None:
                parts.append(figures.left(float(eta)))
            return " · ".join(parts), "accent"
        if coming := (status.get("model") or {}).get("next"):
            return s.new_index(int(coming["done"]), int(coming["total"])), "accent"
        if away:
            return f"{s.up_to_date(files)} · {s.away(away)}", "warn"
        if without := telling.without(status.get("archives_away") or {}):
            return f"{s.up_to_date(files)} · {without}", "warn"
        return s.up_to_date(files), "good"

    def flash(self, text: str) -> None:
        """A confirmation for a few seconds; screen readers hear it, too."""
        self.label.setText(text)
        self.label.setAccessibleName(text)
        self._back.start(_MESSAGE_MS)

    def _set(self, text: str, level: str, fraction: float) -> None:
        self._text, self._level, self._fraction = text, level, fraction
        if not self._back.isActive():
            self._show_text()
        self._dot.show_state(level, fraction)

    def _show_text(self) -> None:
        if self.label.text() != self._text:
            self.label.setText(self._text)
            self.label.setAccessibleName(self._text)

    def _pause_clicked(self) -> None:
        if getattr(self, "_paused", False):
            self.resume_wanted.emit()
            return
        menu = pause_menu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.pause.mapToGlobal(self.pause.rect().topLeft()))


def pause_menu(owner: StatusLine) -> QMenu:
    """For an hour, until tomorrow morning, until resumed."""
    import datetime as dt

    menu = QMenu(owner)
    now = dt.datetime.now()
    morning = (now + dt.timedelta(days=1)).replace(hour=7, minute=0, second=0)
    for label, seconds in (
        (s.PAUSE_HOUR, _HOUR),
        (s.PAUSE_MORNING, (morning - now).total_seconds()),
        (s.PAUSE_OPEN, None),
    ):
        menu.addAction(label).triggered.connect(
            lambda _checked=False, wanted=seconds: owner.pause_wanted.emit(wanted)
        )
    return menu


class _Dot(QWidget):
    """A small ring that fills up; a coloured dot when there is nothing to wait for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._level, self._fraction = "muted", 1.0
        self.setFixedSize(QSize(14, 14))

    def show_state(self, level: str, fraction: float) -> None:
        if (level, fraction) != (self._level, self._fraction):
            self._level, self._fraction = level, fraction
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.of(self.palette())
        colour = {"good": c.good, "warn": c.warn, "bad": c.bad, "accent": c.accent}.get(
            self._level, c.muted
        )
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._fraction >= 1.0 and self._level != "accent":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(QRectF(3, 3, 8, 8))
        else:
            pen = painter.pen()
            pen.setWidthF(2.0)
            pen.setColor(c.line)
            painter.setPen(pen)
            ring = QRectF(2, 2, 10, 10)
            painter.drawEllipse(ring)
            pen.setColor(colour)
            painter.setPen(pen)
            painter.drawArc(ring, 90 * 16, -round(360 * 16 * max(self._fraction, 0.02)))
        painter.end()
