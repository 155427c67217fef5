"""The list of results as Qt sees it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QUrl,
)

from desktop import strings as s
from desktop.presentation import kinds
from desktop.presentation.paths import printable, short_folder
from desktop.results.merging import merge
from engine.contract.errors import why_name_only
from engine.contract.types import Hit

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class Role(IntEnum):
    """What the delegate asks for beyond the name."""

    HIT = Qt.ItemDataRole.UserRole + 1
    FOLDER = Qt.ItemDataRole.UserRole + 2


class ResultsModel(QAbstractListModel):
    """One row per file that answers; takes stages without making rows jump."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hits: list[Hit] = []
        self.frozen = False  # the person has touched the list: places are kept

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        hit = self.hit(index.row()) if index.isValid() else None
        if hit is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return PurePath(hit.path).name or hit.path
            case Role.HIT:
                return hit
            case Role.FOLDER:
                return short_folder(hit.path)
            case Qt.ItemDataRole.AccessibleTextRole:
                return spoken(hit)
            case Qt.ItemDataRole.ToolTipRole:
                return printable(hit.path)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        given = super().flags(index)
        return given | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else given

    def mimeTypes(self) -> list[str]:
        return ["text/uri-list", "text/plain"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files, for dragging out."""
        data = QMimeData()
        paths = [self._hits[index.row()].path for index in indexes]
        data.setUrls([QUrl.fromLocalFile(path) for path in paths])
        data.setText("\n".join(printable(path) for path in paths))
        return data

    def hit(self, row: int) -> Hit | None:
        """The hit in a row, if there is one."""
        return self._hits[row] if 0 <= row < len(self._hits) else None

    def start(self) -> None:
        """A new question: its first stage may order the rows anew."""
        self.frozen = False

    def take(self, hits: Sequence[Hit]) -> None:
        """A stage arrived. Rows are matched by path, so that the selection goes with its file."""
        wanted = merge(self._hits, hits, self.frozen)
        self._drop({hit.path for hit in wanted})
        self._append(wanted)
        self._reorder(wanted)

    def _drop(self, keep: set[str]) -> None:
        for row in reversed(range(len(self._hits))):
            if self._hits[row].path not in keep:
                self.beginRemoveRows(_ROOT, row, row)
                del self._hits[row]
                self.endRemoveRows()

    def _append(self, wanted: Sequence[Hit]) -> None:
        known = {hit.path for hit in self._hits}
        new = [hit for hit in wanted if hit.path not in known]
        if new:
            first = len(self._hits)
            self.beginInsertRows(_ROOT, first, first + len(new) - 1)
            self._hits.extend(new)
            self.endInsertRows()

    def _reorder(self, wanted: list[Hit]) -> None:
        """Both lists hold the same files now; bring them into the wanted order and content."""
        old = self._hits
        if [hit.path for hit in old] != [hit.path for hit in wanted]:
            self.layoutAboutToBeChanged.emit()
            places = {hit.path: row for row, hit in enumerate(wanted)}
            before = self.persistentIndexList()
            after = [self.index(places[old[index.row()].path], 0) for index in before]
            self._hits = wanted
            self.changePersistentIndexList(before, after)
            self.layoutChanged.emit()
            return
        changed = [row for row, (a, b) in enumerate(zip(old, wanted, strict=True)) if a is not b]
        self._hits = wanted
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))


def spoken(hit: Hit) -> str:
    """A result in one sentence, for screen readers."""
    parts = [
        PurePath(hit.path).name,
        kinds.name(hit),
        s.place(hit.location),
        short_folder(hit.path),
        s.short_date(hit.mtime),
        s.OFFLINE if hit.offline else "",
        why_name_only(hit.state, hit.reason),
        " ".join(hit.snippet.split())[:160],
        ", ".join(s.LANES[lane] for lane in hit.lanes if lane in s.LANES),
        s.more_places(len(hit.more)) if hit.more else "",
    ]
    return ", ".join(part for part in parts if part)
