"""The list of results as Qt sees it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum
from pathlib import PurePath
from typing import Any

from msgspec import structs
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
from desktop.presentation import archive_strings as a
from desktop.presentation import kinds
from desktop.presentation.paths import printable, short_folder
from desktop.results.merging import Order, merge, ordered
from desktop.wording import figures
from desktop.wording.language import tr
from engine.contract.errors import why_name_only
from engine.contract.types import Hit, Location, TextEvidence

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class Role(IntEnum):
    """What the delegate asks for beyond the name."""

    HIT = Qt.ItemDataRole.UserRole + 1
    FOLDER = Qt.ItemDataRole.UserRole + 2
    COPY = Qt.ItemDataRole.UserRole + 3  # whether it is shown as a copy of a row above it
    STALE = Qt.ItemDataRole.UserRole + 4  # whether it is of the question before
    NUMBER = Qt.ItemDataRole.UserRole + 5  # of a source of an answer in sentences
    CITED = Qt.ItemDataRole.UserRole + 6  # whether a sentence of that rests on it


class ResultsModel(QAbstractListModel):
    """One row per file that answers; takes stages without making rows jump."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hits: list[Hit] = []
        self._open: set[str] = set()  # hits whose copies are shown, by path
        self._copies: dict[str, str] = {}  # rows that are copies: of which hit
        self._matching: set[str] = set()  # hits that answer, by path; empty where nothing is known
        self.order: Order = "relevance"
        self._given: tuple[Hit, ...] = ()  # of the last stage, in its order
        self._given_matching: int | None = None
        self.frozen = False  # the person has touched the list: places are kept
        self._similar: int | None = None  # see first_similar
        #: The rows are those of the question before: they are seen, and nothing can be done with
        #: them. Until the first stage of this one.
        self.stale = False

    @property
    def files(self) -> int:
        """How many rows there are, copies of others aside."""
        return len(self._hits) - len(self._copies)

    @property
    def first_similar(self) -> int | None:
        """The row from which on hits are only similar to what was asked for; None where that is not
        known, or the places that are kept mix them."""
        return self._similar

    def _find_similar(self) -> int | None:
        if not self._matching:
            return None
        answers = [self._copies.get(hit.key, hit.key) in self._matching for hit in self._hits]
        row = sum(answers)
        return row if 0 < row < len(answers) and all(answers[:row]) else None

    @property
    def mostly_pictures(self) -> bool:
        """Whether what answers is best looked at: at least six, of ten at least eight pictures."""
        known = self._given_matching
        hits = self._given if not known else self._given[:known]
        pictures = sum(kinds.of(hit).preview == "pixels" for hit in hits)
        return len(hits) >= 6 and pictures >= 0.8 * len(hits)

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        hit = self.hit(index.row()) if index.isValid() else None
        if hit is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return printable(PurePath(hit.path).name or hit.path)
            case Role.HIT:
                return hit
            case Role.FOLDER:
                return short_folder(hit.path)
            case Role.COPY:
                return hit.key in self._copies
            case Role.STALE:
                return self.stale
            case Qt.ItemDataRole.AccessibleTextRole:
                said = spoken(hit)
                if hit.key in self._copies:
                    return f"{s.COPY}, {said}"
                return f"{s.SIMILAR}: {said}" if index.row() == self.first_similar else said
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
        hits = [self._hits[index.row()] for index in indexes]
        paths = [hit.path for hit in hits if not hit.archive]  # the others can't be dropped
        data.setUrls([QUrl.fromLocalFile(path) for path in paths])
        data.setText("\n".join(printable(hit.path) for hit in hits))
        return data

    def hit(self, row: int) -> Hit | None:
        """The hit in a row, if there is one."""
        return self._hits[row] if 0 <= row < len(self._hits) else None

    def start(self) -> None:
        """A new question: its first stage may order the rows anew."""
        self.again()
        self.stale = bool(self._hits)

    def again(self) -> None:
        """The same question once more: its first stage may order the rows anew."""
        self.frozen = False
        self._open.clear()

    def has_copies(self, row: int) -> bool:
        """Whether there are copies to show or hide at a row."""
        hit = self.hit(row)
        return hit is not None and (bool(hit.copies) or hit.key in self._copies)

    def toggle_copies(self, row: int) -> int:
        """Show or hide the copies of the hit at a row, or of which it is one; that hit's row."""
        hit = self.hit(row)
        if hit is None or not self.has_copies(row):
            return row
        path = self._copies.get(hit.key, hit.key)
        at = next((n for n, other in enumerate(self._hits) if other.key == path), row)
        if path in self._open:
            self._open.discard(path)
            gone = {copy for copy, owner in self._copies.items() if owner == path}
            self._copies = {c: owner for c, owner in self._copies.items() if owner != path}
            self._drop({one.key for one in self._hits} - gone)
            self._similar = self._find_similar()
            return next(n for n, other in enumerate(self._hits) if other.key == path)
        self._open.add(path)
        known = {one.key for one in self._hits}
        new = [copy for copy in copies_of(self._hits[at]) if copy.key not in known]
        self._copies.update((copy.key, path) for copy in new)
        if new:
            self.beginInsertRows(_ROOT, at + 1, at + len(new))
            self._hits[at + 1 : at + 1] = new
            self.endInsertRows()
            self._similar = self._find_similar()
        return at

    def take(self, hits: Sequence[Hit], matching: int | None = None) -> None:
        """A stage arrived, of whose hits the first `matching` answer, where that is known. Rows are
        matched by path, so that the selection goes with its file."""
        self.stale = False
        self._given, self._given_matching = tuple(hits), matching
        self._matching = {hit.key for hit in hits[: matching or 0]}
        rows, copies = self._with_copies(ordered(hits, matching, self.order))
        wanted = merge(self._hits, rows, self.frozen)
        own, there = {hit.key for hit in hits}, {hit.key for hit in wanted}
        kept = {path: owner for path, owner in self._copies.items() if path not in own}
        self._copies = {p: owner for p, owner in (kept | copies).items() if p in there}
        self._drop({hit.key for hit in wanted})
        self._append(wanted)
        self._reorder(wanted)
        self._similar = self._find_similar()

    def set_order(self, order: Order) -> None:
        """Put the rows, and those of stages to come, into another order."""
        if order != self.order:
            self.order, self.frozen = order, False
            if not self.stale:
                self.take(self._given, self._given_matching)

    def take_out(self, paths: Collection[str]) -> list[tuple[int, Hit]]:
        """Rows of files that are not there any more go; which, and where they were."""
        gone = [(row, hit) for row, hit in enumerate(self._hits) if hit.key in set(paths)]
        self._drop({hit.key for hit in self._hits} - set(paths))
        self._given = tuple(hit for hit in self._given if hit.key not in set(paths))
        self._similar = self._find_similar()
        return gone

    def renamed(self, gone: Sequence[tuple[int, Hit]], new: str) -> list[tuple[int, Hit]]:
        """Rows that were taken out, as those of a file at a new path."""
        if any(hit.key in self._matching for _, hit in gone):
            self._matching.add(new)
        title = PurePath(new).name
        return [(row, structs.replace(hit, path=new, title=title)) for row, hit in gone]

    def put_back(self, gone: Sequence[tuple[int, Hit]]) -> None:
        """Rows that were taken out stand where they stood, as far as others have not come."""
        there = {hit.key for hit in self._hits}
        for row, hit in gone:
            if hit.key not in there:
                at = min(row, len(self._hits))
                self.beginInsertRows(_ROOT, at, at)
                self._hits.insert(at, hit)
                self.endInsertRows()
        self._given = (*self._given, *(hit for _, hit in gone))
        self._similar = self._find_similar()

    def _with_copies(self, hits: Sequence[Hit]) -> tuple[list[Hit], dict[str, str]]:
        """With the copies of those that are open below them; and of which hit each copy is."""
        rows, owners = list[Hit](), dict[str, str]()
        shown = {hit.key for hit in hits}
        for hit in hits:
            rows.append(hit)
            if hit.key in self._open:
                copies = [copy for copy in copies_of(hit) if copy.key not in shown]
                rows += copies
                owners.update((copy.key, hit.key) for copy in copies)
        return rows, owners

    def _drop(self, keep: set[str]) -> None:
        for row in reversed(range(len(self._hits))):
            if self._hits[row].path not in keep:
                self.beginRemoveRows(_ROOT, row, row)
                del self._hits[row]
                self.endRemoveRows()

    def _append(self, wanted: Sequence[Hit]) -> None:
        known = {hit.key for hit in self._hits}
        new = [hit for hit in wanted if hit.key not in known]
        if new:
            first = len(self._hits)
            self.beginInsertRows(_ROOT, first, first + len(new) - 1)
            self._hits.extend(new)
            self.endInsertRows()

    def _reorder(self, wanted: list[Hit]) -> None:
        """Both lists hold the same files now; bring them into the wanted order and content."""
        old = self._hits
        if [hit.key for hit in old] != [hit.key for hit in wanted]:
            self.layoutAboutToBeChanged.emit()
            places = {hit.key: row for row, hit in enumerate(wanted)}
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


def copies_of(hit: Hit) -> list[Hit]:
    """The copies a hit stands for as hits: all that is done with a result is done with each."""
    found = []
    for copy in hit.copies:
        made = structs.replace(
            hit,
            path=copy.path,
            title=PurePath(copy.path).name,
            kind=copy.kind,
            mtime=copy.mtime,
            size=copy.size,
            offline=copy.offline,
            copies=(),
            copy_count=0,
        )
        if PurePath(copy.path).suffix != PurePath(hit.path).suffix:
            # The same words in another format stand on other lines and pages.
            proof = tuple(e for e in hit.evidence if isinstance(e, TextEvidence))
            made = structs.replace(made, location=Location(), evidence=proof, more=())
        found.append(made)
    return found


def spoken(hit: Hit) -> str:
    """A result in one sentence, for screen readers."""
    parts = [
        printable(PurePath(hit.path).name),
        kinds.name(hit),
        s.place(hit.location),
        short_folder(hit.path),
        figures.short_date(hit.date),
        s.OFFLINE if hit.offline else "",
        a.IN_ARCHIVE.format(name=hit.archive) if hit.archive else "",
        tr(why_name_only(hit.state, hit.reason)),
        " ".join(hit.snippet.split())[:160],
        ", ".join(s.LANES[lane] for lane in hit.lanes if lane in s.LANES),
        s.more_places(len(hit.more)) if hit.more else "",
        s.more_copies(hit.copy_count) if hit.copy_count else "",
    ]
    return ", ".join(part for part in parts if part)
