"""Paints a result: thumbnail with its boxes or coloured tile, name, place, date, passage; as a row,
the current one taller, or as a cell of the grid."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop import icons, theme
from desktop import strings as s
from desktop.presentation import kinds, tiles
from desktop.presentation.matches import boxes
from desktop.presentation.outlines import outline
from desktop.presentation.paths import fitting_folder
from desktop.presentation.thumbnails import Thumbnails
from desktop.results.lines import Lines, lay_out
from desktop.results.model import Role
from desktop.theme import GRID, HALF, MARGIN, Colours
from desktop.wording import figures
from engine.contract.types import Hit

THUMB, TALL_THUMB = 5 * GRID, 9 * GRID
STALE_OPACITY = 0.4  # of rows that are no answer to what is being asked
_KEPT_LAYOUTS = 300
#: Pixels with which a folder still tells something.
_LEAST_PLACE = 8 * GRID
#: How far copies, and rows with a number, stand to the right.
_INSET = 3 * GRID
Option = QStyleOptionViewItem
Index = QModelIndex | QPersistentModelIndex


class Fonts:
    """The fonts of a result and their measures."""

    def __init__(self, base: QFont) -> None:
        self.body = base
        self.name = theme.font(base, 0.5, bold=True)
        self.small = theme.font(base, -1)
        self.fixed = theme.fixed_font()
        self.fixed.setPointSizeF(max(base.pointSizeF() - 1, 6))
        self.name_metrics = QFontMetricsF(self.name)
        self.small_metrics = QFontMetricsF(self.small)
        self.name_height = self.name_metrics.height() + 2
        self.small_height = self.small_metrics.height() + 2
        self.body_height = QFontMetricsF(self.body).height()

    @property
    def row(self) -> int:
        """Height of a row: name and one line of the passage beside a small picture."""
        return _on_grid(max(self.name_height + self.body_height, THUMB) + 2 * GRID)

    @property
    def tall(self) -> int:
        """Height of the current row: place and a second line of the passage, too."""
        text = self.name_height + self.small_height + 2 * self.body_height
        return _on_grid(max(text, TALL_THUMB) + 3 * GRID)

    @property
    def caption(self) -> int:
        """Height below the picture of a cell."""
        return _on_grid(self.name_height + self.small_height + GRID)


_FONTS: dict[str, Fonts] = {}


def fonts_of(base: QFont) -> Fonts:
    """Made once for each font: every row of every frame asks for them."""
    key = base.key()
    if key not in _FONTS:
        _FONTS.clear()  # the one before is of another size of everything
        _FONTS[key] = Fonts(QFont(base))
    return _FONTS[key]


def _on_grid(height: float) -> int:
    return int(-(-height // GRID) * GRID)


class ResultDelegate(QStyledItemDelegate):
    """One result; everything is placed on the 8-px grid and drawn in the palette's colours."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._layouts: OrderedDict[tuple[object, ...], Lines] = OrderedDict()
        self.grid = False

    def paint(self, painter: QPainter, option: Option, index: Index) -> None:
        hit = index.data(Role.HIT)
        if not isinstance(hit, Hit):
            return
        painter.save()
        if index.data(Role.STALE):
            painter.setOpacity(STALE_OPACITY)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        c, fonts = theme.of(option.palette), fonts_of(option.font)
        if self.grid:
            self._paint_cell(painter, option, index, hit, fonts, c)
        else:
            self._paint_row(painter, option, index, hit, fonts, c)
        painter.restore()

    # A row

    def _paint_row(
        self, painter: QPainter, option: Option, index: Index, hit: Hit, fonts: Fonts, c: Colours
    ) -> None:
        row = _inner(option.rect)
        self._background(painter, option, row, c)
        copy, number = bool(index.data(Role.COPY)), index.data(Role.NUMBER)
        tall = option.rect.height() >= fonts.tall
        tile, text = _areas(row, hit, fonts, copy or number is not None, tall)
        if number is not None:
            _paint_number(painter, number, bool(index.data(Role.CITED)), row, fonts, c)
        self.paint_thumb(painter, hit, tile, c)
        notes = placed_notes(hit, text, fonts, copy=copy, tall=tall)
        painter.setFont(fonts.small)
        for note, area in notes:
            painter.setPen(getattr(c, note.colour))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, note.text)
        right = min((area.left() for _, area in notes), default=text.right()) - MARGIN
        name, folder = str(index.data()), str(index.data(Role.FOLDER))
        baseline = text.top() + fonts.name_metrics.ascent() + 1
        if tall:
            date = next((area.left() for note, area in notes if note.first), text.right())
            left = _paint_name(painter, name, text.left(), date - MARGIN, baseline, fonts, c)
            top = text.top() + fonts.name_height
            lower = top + fonts.small_metrics.ascent() + 1
            _paint_place(painter, hit, folder, text.left(), right, lower, fonts, c)
            top += fonts.small_height
        else:
            left = _paint_name(painter, name, text.left(), right, baseline, fonts, c)
            _paint_place(painter, hit, folder, left, right, baseline, fonts, c)
            top = text.top() + fonts.name_height
        area = QRectF(text.left(), top, text.width(), 0)
        self._passage(painter, hit, area, 2 if tall else 1, fonts, c)

    def _background(self, painter: QPainter, option: Option, row: QRectF, c: Colours) -> None:
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        if chosen or over or focus:
            theme.paint_chosen(painter, row, c, chosen=chosen, focus=focus)

    def paint_thumb(self, painter: QPainter, hit: Hit, tile: QRectF, c: Colours) -> None:
        """The file's picture with its boxes in an area, or its tile."""
        ratio = painter.device().devicePixelRatioF()
        pixmap = self._thumbnails.get(hit, round(max(tile.width(), tile.height()) * ratio))
        if pixmap is None:
            _paint_tile(painter, hit, tile, c)
            return
        where = _fitted(pixmap, tile)
        edge = QPainterPath()
        edge.addRoundedRect(where, 4, 4)
        painter.save()
        painter.setClipPath(edge)
        painter.drawPixmap(where, pixmap, QRectF(pixmap.rect()))
        painter.setPen(QPen(c.box, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        wide, high = where.width(), where.height()
        areas = [
            QRectF(x0 * wide, y0 * high, (x1 - x0) * wide, (y1 - y0) * high)
            for (x0, y0, x1, y1), _word in boxes(hit, hit.location.page)
        ]
        painter.translate(where.topLeft())
        painter.drawPath(outline(areas, 1, 1.5))
        painter.restore()
        painter.setPen(QPen(c.line, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(edge)

    def _passage(
        self, painter: QPainter, hit: Hit, area: QRectF, most: int, fonts: Fonts, c: Colours
    ) -> None:
        if not hit.snippet.strip():
            return
        key = (hit, most, round(area.width()), fonts.body.key(), c.dark, c.mark.rgba())
        lines = self._layouts.get(key)
        if lines is None:
            lines = lay_out(hit, area.width(), most, fonts.body, fonts.fixed, c)
            self._layouts[key] = lines
            while len(self._layouts) > _KEPT_LAYOUTS:
                self._layouts.popitem(last=False)
        self._layouts.move_to_end(key)
        painter.setPen(c.text if kinds.of(hit).code else _soft(c))
        for layout, offset in lines:
            layout.draw(painter, QPointF(area.left(), area.top() + offset))

    # A cell of the grid

    def _paint_cell(
        self, painter: QPainter, option: Option, index: Index, hit: Hit, fonts: Fonts, c: Colours
    ) -> None:
        cell = QRectF(option.rect).adjusted(HALF, HALF, -HALF, -HALF)
        self._background(painter, option, cell, c)
        picture = cell.adjusted(GRID, GRID, -GRID, -fonts.caption)
        self.paint_thumb(painter, hit, picture, c)
        middle, width = cell.center().x(), cell.width() - 2 * GRID
        baseline = cell.bottom() - fonts.caption + GRID + fonts.name_metrics.ascent()
        date = s.OFFLINE if hit.offline else figures.short_date(hit.date)
        for text, font, metrics, colour in (
            (str(index.data()), fonts.small, fonts.small_metrics, c.text),
            (date, fonts.small, fonts.small_metrics, c.warn if hit.offline else c.muted),
        ):
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width)
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(
                QPointF(middle - metrics.horizontalAdvance(shown) / 2, baseline), shown
            )
            baseline += fonts.small_height

    # Where the pointer is

    def note_area(self, does: str, rect: QRect, font: QFont, hit: Hit) -> QRectF:
        """Where in a hit's row the words are that do something; empty where there are none."""
        fonts = fonts_of(font)
        tall = rect.height() >= fonts.tall
        if not self.grid:
            _, text = _areas(_inner(rect), hit, fonts, inset=False, tall=tall)
            for note, area in placed_notes(hit, text, fonts, copy=False, tall=tall):
                if note.does == does:
                    return area.adjusted(-HALF, -HALF, HALF, HALF)
        return QRectF()

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: Option, index: Index
    ) -> bool:
        """The whole path, above the passage; over words that do something it would hide them."""
        hit = index.data(Role.HIT)
        at = QPointF(event.pos())
        rect = view.visualRect(index)
        on_words = isinstance(hit, Hit) and any(
            self.note_area(does, rect, option.font, hit).contains(at) for does in DOES
        )
        fonts = fonts_of(option.font)
        below = rect.top() + GRID + fonts.name_height + fonts.small_height
        if on_words or (not self.grid and at.y() > below):
            return False
        return super().helpEvent(event, view, option, index)


#: What words on a row do when they are clicked.
DOES = ("copies", "places")


@dataclass(frozen=True, slots=True)
class Note:
    """A few words at the right of a row."""

    text: str
    colour: str  # of theme.Colours
    does: str = ""  # one of DOES
    first: bool = False  # on the first line


def _notes(hit: Hit, *, copy: bool, tall: bool) -> list[Note]:
    """From right to left, those on the first line before the others."""
    notes = [Note(figures.short_date(hit.date), "muted", first=True)]
    if tall and (found := s.found_by(hit.lanes)):
        notes.append(Note(found, "muted"))
    if hit.more and tall:
        notes.append(Note(s.more_places(len(hit.more)), "link", "places"))
    if hit.archive:
        notes.append(Note(hit.archive, "muted"))
    if hit.offline:
        notes.append(Note(s.OFFLINE, "warn"))
    if hit.state in s.NAME_ONLY:
        notes.append(Note(s.NAME_ONLY[hit.state], "muted"))
    if copy:
        notes.append(Note(s.COPY, "muted"))
    elif hit.copy_count:
        notes.append(Note(s.more_copies(hit.copy_count), "link", "copies"))
    return [note for note in notes if note.text]


def placed_notes(
    hit: Hit, text: QRectF, fonts: Fonts, *, copy: bool, tall: bool
) -> list[tuple[Note, QRectF]]:
    """Notes and where they stand in the text's area; where there is no room for them beside the
    place and its folder, how it was found goes."""
    notes = _notes(hit, copy=copy, tall=tall)
    wide = {note: fonts.small_metrics.horizontalAdvance(note.text) for note in notes}
    lower = [note for note in notes if tall and not note.first]
    place = fonts.small_metrics.horizontalAdvance(s.place(hit.location)) + _LEAST_PLACE
    if lower and sum(wide[n] + MARGIN for n in lower) + place > text.width():
        notes = [note for note in notes if note.first or note.does or note.colour == "warn"]
    placed = []
    right = {True: text.right(), False: text.right()}
    for note in notes:
        first = note.first or not tall
        top = text.top() if first else text.top() + fonts.name_height
        high = fonts.name_height if first else fonts.small_height
        left = right[first] - wide[note]
        placed.append((note, QRectF(left, top, wide[note] + 1, high)))
        right[first] = left - MARGIN
    return placed


def _inner(rect: QRect) -> QRectF:
    """Of a row's rectangle what is coloured when it is chosen."""
    return QRectF(rect).adjusted(GRID, 1, -GRID, -1)


def _areas(row: QRectF, hit: Hit, fonts: Fonts, inset: bool, tall: bool) -> tuple[QRectF, QRectF]:
    """Of the picture and of the text beside it, both in the middle of the row's height; `inset`: a
    little to the right, as copies stand, and what has a number before it."""
    side = TALL_THUMB if tall else THUMB
    tile = QRectF(row.left() + GRID + (_INSET if inset else 0), 0, side, side)
    tile.moveTop(row.center().y() - side / 2)
    left = tile.right() + GRID + HALF
    high = fonts.name_height + (fonts.small_height if tall else 0)
    if hit.snippet.strip():
        high += fonts.body_height * (2 if tall else 1)
    top = row.center().y() - high / 2
    return tile, QRectF(left, top, row.right() - GRID - HALF - left, high)


def _paint_number(
    painter: QPainter, number: int, cited: bool, row: QRectF, fonts: Fonts, c: Colours
) -> None:
    """A source's number as its citations show it; only outlined where no sentence cites it."""
    text = str(number)
    wide = max(fonts.small_metrics.horizontalAdvance(text) + GRID, 2.25 * GRID)
    chip = QRectF(0, 0, wide, fonts.small_metrics.capHeight() + GRID + 1)
    chip.moveCenter(QPointF(row.left() + GRID / 2 + _INSET / 2, row.center().y()))
    painter.setPen(QPen(c.link if cited and c.strong else c.line, 1))
    if cited:
        painter.setBrush(c.selected)
        if not c.strong:
            painter.setPen(Qt.PenStyle.NoPen)
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(chip, 5, 5)
    painter.setFont(theme.font(fonts.small, bold=cited))
    painter.setPen(c.link if cited else c.muted)
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)


def _paint_name(
    painter: QPainter, name: str, left: float, right: float, baseline: float, f: Fonts, c: Colours
) -> float:
    """The name, cut in its middle where it has to be; gives the x after it."""
    shown = f.name_metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, max(right - left, 0))
    painter.setFont(f.name)
    painter.setPen(c.text)
    painter.drawText(QPointF(left, baseline), shown)
    return left + f.name_metrics.horizontalAdvance(shown) + GRID + HALF


def _paint_place(
    painter: QPainter,
    hit: Hit,
    folder: str,
    left: float,
    right: float,
    baseline: float,
    f: Fonts,
    c: Colours,
) -> None:
    """The place in the file and its folder, of which the end is told where not all has room."""
    metrics, room = f.small_metrics, right - left
    if room < _LEAST_PLACE:
        return
    painter.setFont(f.small)
    if where := s.place(hit.location):
        # All that the folder leaves, and most of it where both can't be there whole.
        most = max(room * 0.7, room - GRID - metrics.horizontalAdvance(folder))
        where = metrics.elidedText(where, Qt.TextElideMode.ElideRight, most)
        painter.setPen(c.text)
        painter.drawText(QPointF(left, baseline), where)
        left += metrics.horizontalAdvance(where) + GRID
        room = right - left
    shown = fitting_folder(folder, lambda text: metrics.horizontalAdvance(text) <= room)
    if metrics.horizontalAdvance(shown) > room and room < 2 * _LEAST_PLACE:
        return  # a piece of a name tells nothing
    shown = metrics.elidedText(shown, Qt.TextElideMode.ElideLeft, max(room, 0))
    painter.setPen(c.muted)
    painter.drawText(QPointF(left, baseline), shown)


def _paint_tile(painter: QPainter, hit: Hit, tile: QRectF, c: Colours) -> None:
    """A file without a picture: its ending on the colour of what it is, or its kind's sign."""
    front, back = tiles.colours(tiles.hue(hit.path), c.dark)
    side = min(tile.width(), tile.height(), TALL_THUMB)
    area = QRectF(0, 0, side, side)
    area.moveCenter(tile.center())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(back)
    painter.drawRoundedRect(area, 6, 6)
    if letters := tiles.letters(hit.path):
        font = theme.font(painter.font(), bold=True)
        font.setPixelSize(round(side * (0.34 if len(letters) < 3 else 0.27)))
        painter.setFont(font)
        painter.setPen(front)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, letters)
        return
    glyph = QRectF(0, 0, side * 0.5, side * 0.5)
    glyph.moveCenter(area.center())
    icons.paint(painter, kinds.of(hit).icon_name, front, glyph)


def _soft(c: Colours) -> QColor:
    """Between text and muted: the passage is secondary to the name, but is read."""
    colour = QColor(c.text)
    colour.setAlphaF(0.82)
    return colour


def _fitted(pixmap: QPixmap, tile: QRectF) -> QRectF:
    """The picture as large as the tile allows, in its middle."""
    ratio = min(tile.width() / pixmap.width(), tile.height() / pixmap.height())
    where = QRectF(0, 0, pixmap.width() * ratio, pixmap.height() * ratio)
    where.moveCenter(tile.center())
    return where
