"""Filters completed while they are typed: a small list below the field, for who types a colon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QObject, QRect, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView

from desktop import strings as s
from desktop.theme import GRID
from desktop.window.completions import Completion, Known, completed, completions

_COMPLETION = Qt.ItemDataRole.UserRole + 1
_WIDE = 44 * GRID


class FilterCompleter(QObject):
    """Offers what may follow; Enter or Tab takes it, Escape goes on without."""

    def __init__(self, field: QLineEdit, known: Callable[[], Known]) -> None:
        super().__init__(field)
        self._field, self._known = field, known
        self._model = QStandardItemModel(self)
        self._completer = QCompleter(self._model, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setWidget(field)
        self.popup = QListView()
        self.popup.setProperty("class", "popup")
        self.popup.setUniformItemSizes(True)
        self._completer.setPopup(self.popup)
        self.popup.setAccessibleName(s.FILTERS_OFFERED)
        self._completer.activated[QModelIndex].connect(self._take)  # type: ignore[index]
        field.textEdited.connect(self.offer)

    def look_again(self) -> None:
        """More is known of what can follow."""
        if self.popup.isVisible():
            self.offer()

    def offer(self) -> None:
        """Show what may follow what was typed; nothing where no filter is being typed."""
        text, caret = self._field.text(), self._field.cursorPosition()
        found = completions(text, caret, self._known(), dt.date.today())
        self._model.clear()
        for one in found:
            item = QStandardItem("   ".join(filter(None, (one.text, one.meaning))))
            item.setData(one, _COMPLETION)
            self._model.appendRow(item)
        if not found or not self._field.hasFocus():
            self.popup.hide()
            return
        corner = self._field.cursorRect().bottomLeft()
        self._completer.complete(QRect(corner.x(), 0, _WIDE, self._field.height()))
        self.popup.setCurrentIndex(self._completer.completionModel().index(0, 0))

    def _take(self, index: QModelIndex) -> None:
        chosen = index.data(_COMPLETION)
        if isinstance(chosen, Completion):
            text, caret = self._field.text(), self._field.cursorPosition()
            changed, place = completed(text, caret, chosen)
            self._field.setText(changed)
            self._field.setCursorPosition(place)
            if changed[place - 1 : place] == ":":
                self.offer()  # its values
