"""Paints a result: thumbnail with its boxes, name, place, folder, date, passage with its marks."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop import icons, theme
from desktop import strings as s
from desktop.presentation import highlight, kinds
from desktop.presentation.matches import boxes, marks
from desktop.presentation.passage import Excerpt, code, prose
from desktop.presentation.thumbnails import Thumbnails
from desktop.results.model import Role
from desktop.theme import GRID, HALF, MARGIN, Colours
from engine.contract.types import Hit, Lane

THUMB = 8 * GRID
STALE_OPACITY = 0.4  # of rows that are no answer to what is being asked
_LANE_ICONS: dict[Lane, str] = {
    "name": "lane-name",
    "text": "lane-text",
    "dense": "lane-meaning",
    "late": "lane-meaning",
}
_KEPT_LAYOUTS = 300
Option = QStyleOptionViewItem
Index = QModelIndex | QPersistentModelIndex


class ResultDelegate(QStyledItemDelegate):
    """One row; everything is placed on the 8-px grid and drawn in the palette's colours."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._layouts: OrderedDict[tuple[object, ...], list[tuple[QTextLayout, float]]] = (
            OrderedDict()
        )

    def sizeHint(self, option: Option, index: Index) -> QSize:
        fonts = _Fonts(option.font)
        text = fonts.name_height + fonts.small_height + HALF + 2 * fonts.body_height
        height = max(text, THUMB) + 3 * GRID
        return QSize(40 * GRID, int(-(-height // GRID) * GRID))

    def paint(self, painter: QPainter, option: Option, index: Index) -> None:
        hit = index.data(Role.HIT)
        if not isinstance(hit, Hit):
            return
        painter.save()
        if index.data(Role.STALE):
            painter.setOpacity(STALE_OPACITY)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        c = theme.of(option.palette)
        row = QRectF(option.rect).adjusted(GRID, HALF / 2, -GRID, -HALF / 2)
        self._background(painter, option, row, c)
        fonts = _Fonts(option.font)
        copy = bool(index.data(Role.COPY))
        tile, text = _areas(row, hit, fonts, copy)
        self._thumb(painter, hit, tile, c)
        top = self._first_line(painter, hit, str(index.data()), text, fonts, c)
        top = self._second_line(
            painter, hit, str(index.data(Role.FOLDER)), text, top, fonts, c, copy
        )
        self._passage(painter, hit, QRectF(text.left(), top, text.width(), 0), fonts, c)
        painter.restore()

    def _background(self, painter: QPainter, option: Option, row: QRectF, c: Colours) -> None:
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if not chosen and not over:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(c.selected if chosen else c.raised)
        painter.drawRoundedRect(row, theme.RADIUS, theme.RADIUS)
        if chosen and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(c.accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)

    def _thumb(self, painter: QPainter, hit: Hit, tile: QRectF, c: Colours) -> None:
        pixmap = self._thumbnails.get(hit)
        if pixmap is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c.hover if c.dark else c.raised)
            painter.drawRoundedRect(tile, 6, 6)
            glyph = QRectF(0, 0, 28, 28)
            glyph.moveCenter(tile.center())
            icons.paint(painter, kinds.of(hit).icon_name, c.muted, glyph)
            return
        where = _fitted(pixmap, tile)
        outline = QPainterPath()
        outline.addRoundedRect(where, 4, 4)
        painter.save()
        painter.setClipPath(outline)
        painter.drawPixmap(where, pixmap, QRectF(pixmap.rect()))
        painter.setPen(QPen(c.box, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for (x0, y0, x1, y1), _word in boxes(hit, hit.location.page):
            left, top = where.left() + x0 * where.width(), where.top() + y0 * where.height()
            wide, high = (x1 - x0) * where.width(), (y1 - y0) * where.height()
            painter.drawRoundedRect(QRectF(left, top, wide, high).adjusted(-1, -1, 1, 1), 1.5, 1.5)
        painter.restore()
        painter.setPen(QPen(c.line, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(outline)

    def _first_line(
        self, painter: QPainter, hit: Hit, name: str, area: QRectF, fonts: _Fonts, c: Colours
    ) -> float:
        """Name left, date right; gives the y below."""
        date = s.short_date(hit.mtime)
        date_width = fonts.small_metrics.horizontalAdvance(date)
        baseline = area.top() + fonts.name_metrics.ascent() + 1
        painter.setFont(fonts.small)
        painter.setPen(c.muted)
        painter.drawText(QPointF(area.right() - date_width, baseline), date)
        room = area.width() - date_width - MARGIN
        painter.setFont(fonts.name)
        painter.setPen(c.text)
        painter.drawText(
            QPointF(area.left(), baseline),
            fonts.name_metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room),
        )
        return area.top() + fonts.name_height

    def _second_line(
        self,
        painter: QPainter,
        hit: Hit,
        folder: str,
        area: QRectF,
        top: float,
        fonts: _Fonts,
        c: Colours,
        copy: bool,
    ) -> float:
        """Place and folder left; lanes, copies, further places and offline right; gives the y
        below."""
        right = area.right()
        glyph = fonts.small_metrics.height()
        for icon in _icons(hit):
            right -= glyph
            icons.paint(painter, icon, c.muted, QRectF(right, top, glyph, glyph))
            right -= HALF
        painter.setFont(fonts.small)
        baseline = top + fonts.small_metrics.ascent()
        notes = [(s.OFFLINE, c.warn)] if hit.offline else []
        if hit.state in s.NAME_ONLY:
            notes.append((s.NAME_ONLY[hit.state], c.muted))
        if copy:
            notes.insert(0, (s.COPY, c.muted))
        elif hit.copy_count:
            notes.insert(0, (s.more_copies(hit.copy_count), c.accent))
        more = s.more_places(len(hit.more)) if hit.more else ""
        wide = sum(fonts.small_metrics.horizontalAdvance(note) for note, _ in [*notes, (more, c)])
        if more and right - area.left() - wide > 20 * GRID:
            notes.insert(1 if copy or hit.copy_count else 0, (more, c.accent))  # if there is room
        for note, colour in notes:
            right -= fonts.small_metrics.horizontalAdvance(note) + HALF
            painter.setPen(colour)
            painter.drawText(QPointF(right, baseline), note)
            right -= GRID
        left = area.left()
        if where := s.place(hit.location):
            room = max(0.0, right - left - GRID)
            where = fonts.small_metrics.elidedText(where, Qt.TextElideMode.ElideRight, room * 0.7)
            painter.setPen(c.text)
            painter.drawText(QPointF(left, baseline), where)
            left += fonts.small_metrics.horizontalAdvance(where + "  ")
        painter.setPen(c.muted)
        shown = fonts.small_metrics.elidedText(
            folder, Qt.TextElideMode.ElideMiddle, max(0.0, right - left - GRID)
        )
        painter.drawText(QPointF(left, baseline), shown)
        return top + fonts.small_height + HALF

    def _passage(
        self, painter: QPainter, hit: Hit, area: QRectF, fonts: _Fonts, c: Colours
    ) -> None:
        if not hit.snippet.strip():
            return
        key = (hit, round(area.width()), fonts.body.key(), c.dark, c.mark.rgba())
        lines = self._layouts.get(key)
        if lines is None:
            lines = _lay_out(hit, area.width(), fonts, c)
            self._layouts[key] = lines
            while len(self._layouts) > _KEPT_LAYOUTS:
                self._layouts.popitem(last=False)
        self._layouts.move_to_end(key)
        painter.setPen(c.text if kinds.of(hit).code else _soft(c))
        for layout, offset in lines:
            layout.draw(painter, QPointF(area.left(), area.top() + offset))

    def copies_area(self, rect: QRect, font: QFont, hit: Hit) -> QRectF:
        """Where in a hit's row it says that there are copies."""
        fonts = _Fonts(font)
        row = QRectF(rect).adjusted(GRID, HALF / 2, -GRID, -HALF / 2)
        _, text = _areas(row, hit, fonts, copy=False)
        right = text.right() - len(_icons(hit)) * (fonts.small_metrics.height() + HALF)
        wide = fonts.small_metrics.horizontalAdvance(s.more_copies(hit.copy_count)) + HALF
        top = text.top() + fonts.name_height
        return QRectF(right - wide, top, wide, fonts.small_height + HALF)


def _icons(hit: Hit) -> list[str]:
    """Of the lanes that found it."""
    return list(dict.fromkeys(_LANE_ICONS[lane] for lane in hit.lanes if lane in _LANE_ICONS))


def _areas(row: QRectF, hit: Hit, fonts: _Fonts, copy: bool) -> tuple[QRectF, QRectF]:
    """Of the picture and of the text beside it; a copy stands a little to the right."""
    inner = row.adjusted(GRID + (3 * GRID if copy else 0), GRID + HALF / 2, -MARGIN, -GRID)
    tile = QRectF(inner.left(), inner.top(), THUMB, THUMB)
    text = QRectF(
        tile.right() + MARGIN,
        inner.top() - 2,
        inner.right() - tile.right() - MARGIN,
        inner.height() + 2,
    )
    if not hit.snippet.strip():  # two lines only: beside the middle of the picture
        text.translate(0, (THUMB - fonts.name_height - fonts.small_height) / 2)
    return tile, text


class _Fonts:
    """The fonts of a row and their measures."""

    def __init__(self, base: QFont) -> None:
        self.body = base
        self.name = theme.font(base, 0.5, bold=True)
        self.small = theme.font(base, -1)
        self.fixed = theme.fixed_font()
        self.fixed.setPointSizeF(max(base.pointSizeF() - 1, 6))
        self.name_metrics = QFontMetricsF(self.name)
        self.small_metrics = QFontMetricsF(self.small)
        self.name_height = self.name_metrics.height() + 2
        self.small_height = self.small_metrics.height()
        self.body_height = QFontMetricsF(self.body).height()


def _soft(c: Colours) -> QColor:
    """Between text and muted: the passage is secondary to the name, but is read."""
    colour = QColor(c.text)
    colour.setAlphaF(0.82)
    return colour


def _fitted(pixmap: QPixmap, tile: QRectF) -> QRectF:
    """The picture as large as the tile allows, centred, never enlarged beyond it."""
    ratio = min(tile.width() / pixmap.width(), tile.height() / pixmap.height())
    where = QRectF(0, 0, pixmap.width() * ratio, pixmap.height() * ratio)
    where.moveCenter(tile.center())
    return where


def _lay_out(hit: Hit, width: float, fonts: _Fonts, c: Colours) -> list[tuple[QTextLayout, float]]:
    """Two lines of the passage: code line by line in its colours, prose wrapped."""
    found = marks(hit)
    if kinds.of(hit).code:
        excerpt = code(hit.snippet, found, 2)
        return _lay_out_code(excerpt, hit.path, width, fonts, c)
    room = int(2 * width / max(QFontMetricsF(fonts.body).averageCharWidth(), 1))
    excerpt = prose(hit.snippet, found, room)
    return [(_wrapped(excerpt, width, fonts.body, c), 0.0)]


def _wrapped(excerpt: Excerpt, width: float, font: QFont, c: Colours) -> QTextLayout:
    """Two lines of prose; the second ends in … where there is more."""
    text = excerpt.text
    probe = QTextLayout(text, font)
    _break(probe, width, 2)
    if probe.lineCount() == 2:
        last = probe.lineAt(1)
        if last.textStart() + last.textLength() < len(text):
            rest = QFontMetricsF(font).elidedText(
                text[last.textStart() :], Qt.TextElideMode.ElideRight, width
            )
            text = text[: last.textStart()] + rest
    layout = QTextLayout(text, font)
    layout.setFormats(_mark_formats(excerpt, len(text), c))
    _break(layout, width, 2)
    return layout


def _break(layout: QTextLayout, width: float, lines: int) -> None:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    y = 0.0
    for _ in range(lines):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height()
    layout.endLayout()


def _mark_formats(excerpt: Excerpt, length: int, c: Colours) -> list[QTextLayout.FormatRange]:
    formats = []
    for start, end in excerpt.marks:
        if start < length:
            formats.append(_range(start, min(end, length) - start, c.text, c.mark))
    return formats


def _range(
    start: int, length: int, colour: QColor | None = None, background: QColor | None = None
) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length = start, length
    style = QTextCharFormat()
    if colour is not None:
        style.setForeground(colour)
    if background is not None:
        style.setBackground(background)
    made.format = style
    return made


def _lay_out_code(
    excerpt: Excerpt, path: str, width: float, fonts: _Fonts, c: Colours
) -> list[tuple[QTextLayout, float]]:
    """Each line by itself, cut at the right edge."""
    metrics = QFontMetricsF(fonts.fixed)
    laid, offset, position = [], 0.0, 0
    coloured = highlight.runs(excerpt.text, path)
    for line in excerpt.text.split("\n"):
        shown = metrics.elidedText(line.expandtabs(4), Qt.TextElideMode.ElideRight, width)
        layout = QTextLayout(shown, fonts.fixed)
        formats = []
        for run in coloured:
            low = max(run.start - position, 0)
            high = min(run.start + run.length - position, len(shown))
            if low < high:
                formats.append(_range(low, high - low, highlight.colour(run.role, c.dark)))
        for start, end in excerpt.marks:
            low, high = max(start - position, 0), min(end - position, len(shown))
            if low < high:
                formats.append(_range(low, high - low, None, c.mark))
        layout.setFormats(formats)
        _break(layout, width * 2, 1)
        laid.append((layout, offset))
        offset += metrics.height() + 1
        position += len(line) + 1
    return laid
