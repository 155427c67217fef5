"""The places that an answer in sentences rests on, as rows of a list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from PySide6.QtCore import Qt

from desktop.results.model import Index, ResultsModel, Role
from desktop.wording.figures import number
from desktop.wording.language import tr
from engine.contract.asking import Source


class SourcesModel(ResultsModel):
    """A row a source, by its number; several may be of one file."""

    def __init__(self) -> None:
        super().__init__()
        self._sources: tuple[Source, ...] = ()
        self._cited: frozenset[int] = frozenset()

    def show_sources(self, sources: Sequence[Source], cited: Collection[int]) -> None:
        """Other rows, or other ones of them that sentences rest on."""
        same, self._cited = tuple(sources) == self._sources, frozenset(cited)
        if same:
            if self._hits:
                self.dataChanged.emit(self.index(0), self.index(len(self._hits) - 1))
            return
        self.beginResetModel()
        self._sources = tuple(sources)
        self._hits = [one.hit for one in sources]
        self.endResetModel()

    def row_of(self, wanted: int) -> int | None:
        """The row of a source, by its number."""
        hit = next((one.hit for one in self._sources if one.number == wanted), None)
        return next((row for row, own in enumerate(self._hits) if own is hit), None)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        hit = self.hit(index.row()) if index.isValid() else None
        source = next((one for one in self._sources if one.hit is hit), None)
        if source is None:
            return super().data(index, role)
        if role == Role.NUMBER:
            return source.number
        if role == Role.CITED:
            return source.number in self._cited
        if role == Qt.ItemDataRole.AccessibleTextRole:
            named = tr("Source {n}").format(n=number(source.number))
            cited = tr("cited") if source.number in self._cited else ""
            return ", ".join(filter(None, (named, cited, super().data(index, role))))
        return super().data(index, role)
