"""The chips under the search field: kind, folder, date and whatever else was typed as a filter."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import PurePath

from PySide6.QtCore import QDir, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from desktop import icons, theme
from desktop import strings as s
from desktop.presentation import kinds
from desktop.theme import GRID, HALF
from desktop.window import chips
from desktop.window.date_span import DateSpanDialog, span_label
from desktop.window.folder_tree import folder_tree
from engine.contract.types import Reading

_DATE_KEYS = ("date", "before", "after")
#: Of a chip beside its words: icon, tail and the room around them.
_BESIDE = 3 * GRID + 2 * 14 + HALF


class ChipButton(QPushButton):
    """A rounded chip: quiet until its filter is on, then tinted; with a small icon at one end."""

    def __init__(self, icon: str, tail: str, parent: QWidget, what: str = "") -> None:
        """`what`: it filters by, for those who hear it."""
        super().__init__(parent)
        self._icon, self._tail, self._what = icon, tail, what
        self._on = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFont(theme.font(parent.font(), -0.5))

    def show_filter(self, text: str, on: bool) -> None:
        """What the chip says, and whether it filters."""
        shown = QFontMetrics(self.font()).elidedText(text, Qt.TextElideMode.ElideMiddle, 26 * GRID)
        self.setText(shown.replace("&", "&&"))
        self._on = on
        self.setToolTip(text)
        self.setAccessibleName(f"{self._what}: {text}" if on and self._what else text)
        self.updateGeometry()
        self.update()

    @property
    def on(self) -> bool:
        return self._on

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text().replace("&&", "&"))
        return QSize(width + _BESIDE, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(_BESIDE + 2 * GRID, self._height())

    def _height(self) -> int:
        return max(26, self.fontMetrics().height() + 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        # Qt notes on the window alone that the focus came by a key.
        by_key = self.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        focus = self.hasFocus() and by_key
        edge = c.focus if focus else c.accent if self._on else c.edge
        painter.setPen(QPen(edge, (3 if c.strong else 2) if focus else 1))
        if focus:
            area.adjust(0.5, 0.5, -0.5, -0.5)
        hovered = self.underMouse() or self.isDown()
        painter.setBrush(c.selected if self._on else c.hover if hovered else c.window)
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        colour = c.text if self._on else c.muted
        glyph = QRectF(area.left() + GRID + 2, area.center().y() - 7, 14, 14)
        icons.paint(painter, self._icon, c.accent if self._on else c.muted, glyph)
        tail = QRectF(area.right() - GRID - 12, area.center().y() - 6, 12, 12)
        icons.paint(painter, self._tail, colour, tail)
        painter.setPen(colour)
        text = QRectF(
            glyph.right() + HALF + 1,
            area.top(),
            tail.left() - glyph.right() - GRID - 1,
            area.height(),
        )
        shown = self.fontMetrics().elidedText(
            self.text().replace("&&", "&"), Qt.TextElideMode.ElideRight, round(text.width()) + 1
        )
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()


class ChipBar(QWidget):
    """Draws the query's filters as chips and edits the query's text when one is used."""

    edited = Signal(str)  # the query's new text
    folders_wanted = Signal()  # which there are is about to be chosen from
    declined = Signal(str)  # words that were read as a filter and are to be words

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = ""
        self._folders: tuple[str, ...] = ()
        self._held: dict[str, int] = {}
        self._extra: list[ChipButton] = []
        self._readings: list[ChipButton] = []
        self.kind = self._menu_chip("other", s.KIND, self._fill_kinds)
        self.folder = self._menu_chip("folder", s.FOLDER, self._fill_folders)
        self.date = self._menu_chip("calendar", s.DATE, self._fill_dates)
        #: The three that are always there: beside the search field where there is room for them.
        self.menus = QWidget(self)
        menus = QHBoxLayout(self.menus)
        menus.setContentsMargins(0, 0, 0, 0)
        menus.setSpacing(HALF + 2)
        for chip in (self.kind, self.folder, self.date):
            menus.addWidget(chip)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2 * GRID, 0, 2 * GRID, GRID)
        self._row.setSpacing(HALF + 2)
        self._row.addWidget(self.menus)
        self._row.addStretch(1)
        self._inline: QHBoxLayout | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.show_query("")

    @property
    def removable(self) -> list[QWidget]:
        """Chips besides the three, from left to right."""
        return [*self._extra, *self._readings]

    def stand_in(self, line: QHBoxLayout | None, place: int = 0) -> None:
        """Put the three chips into another line, or with None into the own one again."""
        if line is self._inline:
            return
        self._inline = line
        if line is None:
            self._row.insertWidget(0, self.menus)
        else:
            line.insertWidget(place, self.menus)
        self._show_line()

    def _show_line(self) -> None:
        """The own line is there only where something stands in it."""
        self.setVisible(self._inline is None or bool(self._extra or self._readings))

    def _menu_chip(self, icon: str, name: str, fill: Callable[[QMenu], None]) -> ChipButton:
        chip = ChipButton(icon, "chevron-down", self, name)
        chip.setAccessibleDescription(s.OPENS_MENU)
        menu = QMenu(chip)
        menu.setAccessibleName(name)
        menu.aboutToShow.connect(partial(fill, menu))
        chip.clicked.connect(lambda: menu.popup(chip.mapToGlobal(chip.rect().bottomLeft())))
        chip.setProperty("menu", menu)
        return chip

    def set_folders(self, folders: Sequence[str]) -> None:
        """The watched folders, offered in the folder chip."""
        self._folders = tuple(folders)

    def set_held_folders(self, held: Mapping[str, int]) -> None:
        """Folders below the watched ones, with how many files lie in them."""
        self._held = dict(held)

    def show_query(self, text: str, plain: Sequence[str] = ()) -> None:
        """Draw the chips of this query; `plain`: words that are read as no filter."""
        self._text = text
        wanted = dict.fromkeys(chips.values(text, "kind"))
        folders = dict.fromkeys(chips.values(text, "in"))
        self.kind.show_filter(", ".join(map(kinds.plural, wanted)) or s.KIND, bool(wanted))
        self.folder.show_filter(
            ", ".join(PurePath(f).name or f for f in folders) or s.FOLDER, bool(folders)
        )
        dates = [chip for chip in chips.chips(text) if chip.key in _DATE_KEYS]
        self.date.show_filter(", ".join(map(_date_label, dates)) or s.DATE, bool(dates))
        self._show_extra(
            [
                chip
                for chip in chips.chips(text)
                if chip.key not in (*_DATE_KEYS, "kind", "in") or chip.negated
            ]
        )

        self._show_readings(chips.readings(text, plain))
        self._show_line()

    def _show_extra(self, extra: list[chips.Chip]) -> None:
        """Chips for the filters that have no menu: removed by a click."""
        self._let_go(self._extra)
        for chip in extra:
            key = s.CHIP_KEYS.get(chip.key, chip.key)
            label = f"{s.NOT} {key} {chip.value}" if chip.negated else f"{key} {chip.value}"
            button = self._removable(label.strip(), s.REMOVE_CHIP, len(self._extra))
            button.clicked.connect(partial(self._remove, chip))
            self._extra.append(button)

    def _show_readings(self, readings: Sequence[Reading]) -> None:
        """Chips for words that are read as filters: a click, and they are words."""
        self._let_go(self._readings)
        for reading in readings:
            label = s.READING.format(words=reading.words, filter=reading.filter)
            place = len(self._extra) + len(self._readings)
            key = reading.filter.strip("(").partition(":")[0]
            icon = "calendar" if key in _DATE_KEYS else "other"
            button = self._removable(label, s.DECLINE_READING, place, icon)
            button.clicked.connect(partial(self._decline, reading.words))
            self._readings.append(button)

    def show_given_up(self, given_up: bool) -> None:
        """Whether the readings filter: those that were given up are shown, but off."""
        for button in self._readings:
            button.show_filter(button.accessibleName(), not given_up)

    def _let_go(self, buttons: list[ChipButton]) -> None:
        for old in buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        buttons.clear()

    def _removable(self, label: str, tip: str, place: int, icon: str = "other") -> ChipButton:
        button = ChipButton(icon, "close", self)
        button.show_filter(label, True)
        button.setToolTip(f"{label}\n{tip}")
        self._row.insertWidget(place + (self._inline is None), button)
        button.show()
        return button

    def _decline(self, words: str) -> None:
        self.declined.emit(words)

    def _remove(self, chip: chips.Chip) -> None:
        self.edited.emit(chips.remove(self._text, chip))

    def _fill_kinds(self, menu: QMenu) -> None:
        chosen = chips.values(self._text, "kind")
        self._fill(menu, s.ANY_KIND, "kind", ("kind",), not chosen)
        for row in kinds.KINDS.values():
            action = self._choice(menu, row.plural, row.id in chosen, row.icon_name)
            action.triggered.connect(
                lambda _c=False, k=row.id: self.edited.emit(chips.toggle(self._text, "kind", k))
            )

    def _fill_folders(self, menu: QMenu) -> None:
        chosen = chips.values(self._text, "in")
        self._fill(menu, s.ANY_FOLDER, "in", ("in",), not chosen)
        self.folders_wanted.emit()
        offered = folder_tree(self._folders, self._held, chosen)
        for folder, label in offered.items():
            action = self._choice(menu, label, folder in chosen, "folder")
            action.triggered.connect(
                lambda _c=False, f=folder: self.edited.emit(chips.toggle(self._text, "in", f))
            )
        menu.addSeparator()
        menu.addAction(s.OTHER_FOLDER, self._pick_folder)

    def _pick_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, s.FOLDER, QDir.homePath())
        if folder:
            self.edited.emit(chips.add(self._text, "in", os.path.normpath(folder)))

    def _fill_dates(self, menu: QMenu) -> None:
        chosen = chips.values(self._text, "date")
        self._fill(menu, s.ANY_DATE, "date", _DATE_KEYS, not chosen)
        group = QActionGroup(menu)
        for value, label in s.DATES.items():
            action = self._choice(menu, label, value in chosen)
            group.addAction(action)
            action.triggered.connect(partial(self._replace, _DATE_KEYS, "date", value))
        menu.addSeparator()
        menu.addAction(s.OTHER_DATES, self.pick_dates)

    def pick_dates(self) -> None:
        """Ask for two days, and filter by what lies between."""
        now = next(iter(chips.values(self._text, "date")), "")
        take = partial(self._replace, _DATE_KEYS, "date")
        DateSpanDialog(now, take, self.window()).open()

    def _fill(
        self, menu: QMenu, label: str, key: str, keys: Sequence[str], checked: bool
    ) -> QAction:
        """Start a menu anew with its “any” entry."""
        menu.clear()
        action = self._choice(menu, label, checked)
        action.triggered.connect(partial(self._replace, keys, key, None))
        menu.addSeparator()
        return action

    def _choice(self, menu: QMenu, label: str, checked: bool, glyph: str = "") -> QAction:
        """An entry that shows a tick in the accent's colour where it holds."""
        c = theme.of(self.palette())
        action = menu.addAction(label)
        action.setCheckable(True)
        action.setChecked(checked)
        if checked or glyph:
            colour = c.accent if checked else c.muted
            action.setIcon(icons.icon("check" if checked else glyph, colour))
        return action

    def _replace(
        self, keys: Sequence[str], key: str, value: str | None, _checked: bool = False
    ) -> None:
        self.edited.emit(chips.replace(self._text, keys, key, value))


def _date_label(chip: chips.Chip) -> str:
    if chip.key == "date":
        return s.DATES.get(chip.value) or span_label(chip.value)
    return f"{s.CHIP_KEYS[chip.key]} {chip.value}"
