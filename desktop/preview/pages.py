"""The pages of a document below each other: drawn as they come near, the found one first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from desktop import strings as s
from desktop import theme
from desktop.preview.region import RegionBand, paint_regions
from desktop.preview.sheets import Sheets
from desktop.theme import GRID
from engine.contract.types import Box

_STEP = 1.25
_WIDTHS = (120.0, 4_000.0)  # of a page on the screen, at the least and the most
#: Pixels of a page's width that are asked for beyond those shown: scaled down, letters are crisp.
_FINER = 1.25
_DRAWN = (800, 3_000)  # device pixels of a page's width that are asked for
#: Pages out of sight are kept up to here: some four at 100 %.
_KEPT_BYTES = 24_000_000
_PAPER = Qt.GlobalColor.white
_ON_PAPER = Qt.GlobalColor.darkGray

Regions = Callable[[int], Sequence[tuple[Box, str]]]


class PagesView(QAbstractScrollArea):
    """Asks for one page at a time, that in the middle of the view before its neighbours; who shows
    a document answers with `take` or `refuse`."""

    region_chosen = Signal(QImage)
    region_mode_changed = Signal(bool)
    page_wanted = Signal(int, int)  # page, device pixels across
    page_changed = Signal(int)  # another page is the one in view

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sheets = Sheets()
        self._images: dict[int, QImage] = {}
        self._scaled: dict[int, QPixmap] = {}  # of pages in view, as wide as they are shown
        self._asked: dict[int, int] = {}  # the width a page was last asked for in
        self._awaited = 0  # the page that is being drawn
        self._refused: set[int] = set()
        self._regions: Regions = lambda _page: ()
        self._word: str | None = None  # only this word's regions
        self._page = 0
        self._wide: float | None = None  # chosen by zooming; else the pages fit
        self._whole = False  # fit whole, not only across
        self._follows = True  # nobody has scrolled away from the place that was asked for
        self._stands_in = False
        self._held: QPoint | None = None  # where the mouse holds the pages
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(s.PAGES_NAME)
        for bar in (self.verticalScrollBar(), self.horizontalScrollBar()):
            bar.setSingleStep(5 * GRID)
            bar.actionTriggered.connect(self._let_go)
        self._band = RegionBand(self.viewport())
        self._band.chosen.connect(self._cut_out)
        self._band.mode_changed.connect(self.region_mode_changed)

    # What is shown

    @property
    def page(self) -> int:
        """The page in view; 0 where nothing is shown."""
        return self._page

    @property
    def pages(self) -> int:
        """How many the document has."""
        return self._sheets.last

    @property
    def image(self) -> QImage:
        """The page in view as it was drawn; null while it is not."""
        return self._images.get(self._page, QImage())

    @property
    def kept(self) -> list[int]:
        """The pages that are held as pixels."""
        return sorted(self._images)

    def clear(self) -> None:
        """Show nothing, hold nothing."""
        self._start(Sheets(), 0)
        self.viewport().update()

    def stand_in(self, image: QImage, page: int, regions: Regions) -> None:
        """A thumbnail in the place and size of its page, until that is drawn."""
        self._start(Sheets(page, page), page)
        self._stands_in, self._regions = True, regions
        self._hold(page, image)
        self._lay_out()

    def show_document(self, image: QImage, page: int, pages: int, regions: Regions) -> None:
        """A document at a page, which is drawn; where its thumbnail was looked at, one stays."""
        stays = self._stands_in and page == self._page and not self._follows
        anchor = self._anchor() if stays else None
        self._start(Sheets(1, max(pages, page)), page)
        self._regions, self._follows = regions, not stays
        self._hold(page, image)
        self._asked[page] = image.width()
        self._lay_out(anchor)

    def _start(self, sheets: Sheets, page: int) -> None:
        self._sheets, self._page = sheets, page
        self._images, self._scaled, self._asked = {}, {}, {}
        self._awaited, self._refused, self._word = 0, set(), None
        self._wide, self._whole, self._follows = None, False, True
        self._stands_in = False
        self.set_region_mode(False)

    def take(self, page: int, image: QImage) -> None:
        """A page that was wanted has been drawn."""
        self._awaited = 0
        if page in self._sheets:
            self._hold(page, image)
            self._lay_out(self._anchor())

    def refuse(self, page: int) -> None:
        """A page that was wanted can't be drawn; it is not asked for again."""
        self._awaited = 0
        self._refused.add(page)
        self.viewport().update()
        self._want()

    def set_regions(self, regions: Regions) -> None:
        """Others on the same pages."""
        self._regions = regions
        self.viewport().update()

    def show_word(self, word: str | None) -> None:
        """Draw only this query word's regions; None: all."""
        self._word = word
        self.viewport().update()

    def go_to(self, page: int) -> None:
        """Show a page, at what matched on it."""
        if page in self._sheets:
            self._page, self._follows = page, True
            self._place()
            self._arrived()

    # Geometry

    def _room(self) -> tuple[float, float]:
        # As wide as with a scroll bar: the pages must not change when it comes.
        bar = self.verticalScrollBar().sizeHint().width()
        return max(1.0, self.contentsRect().width() - bar - 2 * GRID), float(
            self.viewport().height()
        )

    def _lay_out(self, anchor: tuple[int, float, float] | None = None) -> None:
        """Place all pages anew; what `_anchor` told of stays where it is on the screen."""
        room, high = self._room()
        wide = room if self._wide is None else self._wide
        if self._whole and self._wide is None:
            wide = min(room, (high - 2 * GRID) / self._sheets.ratio(self._page))
        if round(wide) != round(self._sheets.width):
            self._scaled = {}
        self._sheets.lay_out(max(round(wide), 1))
        for bar, content, seen in (
            (self.verticalScrollBar(), self._sheets.height, self.viewport().height()),
            (self.horizontalScrollBar(), wide + 2 * GRID, self.viewport().width()),
        ):
            bar.setPageStep(seen)
            bar.setRange(0, max(0, round(content) - seen))
        if self._follows or anchor is None:
            self._place()
        elif anchor[0] in self._sheets:
            rect = self._sheets.rect(anchor[0])
            self.verticalScrollBar().setValue(
                round(rect.top() + anchor[1] * rect.height() - anchor[2])
            )
        self._arrived()

    def _anchor(self, y: float | None = None) -> tuple[int, float, float] | None:
        """(page, share of its height, height on the screen) of what is at a height of the view."""
        if not len(self._sheets):
            return None
        y = self.viewport().height() / 2 if y is None else y
        at = y + self.verticalScrollBar().value()
        page = self._sheets.at(at)
        rect = self._sheets.rect(page)
        return page, (at - rect.top()) / max(rect.height(), 1.0), y

    def _place(self) -> None:
        """The page that was asked for from its top, or as far down as what matched on it."""
        if self._page not in self._sheets:
            return
        rect, high = self._sheets.rect(self._page), self.viewport().height()
        top = rect.top() - GRID
        if rect.height() + 2 * GRID < high:  # whole, in the middle
            top = rect.center().y() - high / 2
        elif found := self._found(self._page):
            top = max(top, rect.top() + found[0][0].center().y() - high / 2)
        self.verticalScrollBar().setValue(round(top))
        bar = self.horizontalScrollBar()
        bar.setValue(bar.maximum() // 2)

    def _found(self, page: int) -> list[tuple[QRectF, str]]:
        """What matched on a page, from its corner, in pixels of the view, and its word."""
        size = self._sheets.rect(page).size()
        return [
            (
                QRectF(
                    QPointF(box[0] * size.width(), box[1] * size.height()),
                    QPointF(box[2] * size.width(), box[3] * size.height()),
                ),
                word,
            )
            for box, word in self._regions(page)
            if self._word is None or self._word == word
        ]

    def rect_of(self, page: int) -> QRectF:
        """Where a page lies in the viewport, on whole device pixels: letters stay crisp."""
        ratio = self.devicePixelRatioF()
        left = (self.viewport().width() - self._sheets.width) / 2
        if self.horizontalScrollBar().maximum():
            left = float(GRID - self.horizontalScrollBar().value())
        moved = self._sheets.rect(page).translated(left, -self.verticalScrollBar().value())
        moved.moveTopLeft(QPointF(round(moved.x() * ratio), round(moved.y() * ratio)) / ratio)
        return moved

    def _in_view(self) -> range:
        top = self.verticalScrollBar().value()
        return self._sheets.between(top, top + self.viewport().height())

    def _arrived(self) -> None:
        """Something else is in view."""
        seen = self._in_view()
        self._scaled = {page: kept for page, kept in self._scaled.items() if page in seen}
        if not self._follows and seen:
            middle = self.verticalScrollBar().value() + self.viewport().height() // 2
            page = self._sheets.at(middle)
            if page != self._page:
                self._page = page
                self.page_changed.emit(page)
        self.setAccessibleDescription(s.page_of(self._page, self.pages) if self._page else "")
        self.viewport().update()
        self._want()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self._arrived()

    def _let_go(self) -> None:
        self._follows = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        anchor = self._anchor(0.0)
        super().resizeEvent(event)
        self._lay_out(anchor)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._want()

    # Drawing the pages that are near

    def _hold(self, page: int, image: QImage) -> None:
        """Keep a page as pixels, and of those out of sight the nearest ones."""
        self._images[page] = image
        self._scaled.pop(page, None)
        self._sheets.saw(page, image.width(), image.height())
        if not self._sheets.width:
            return
        seen, size = self._in_view(), sum(i.sizeInBytes() for i in self._images.values())
        for far in sorted(self._images, key=lambda kept: -abs(kept - self._page)):
            if size <= _KEPT_BYTES:
                return
            if far not in seen and far != self._page:
                size -= self._images.pop(far).sizeInBytes()
                self._asked.pop(far, None)

    def _near(self) -> Iterator[int]:
        """The page in view, others of which something is seen, the next and the one before."""
        seen = self._in_view()
        yield from sorted(seen, key=lambda page: abs(page - self._page))
        if seen:
            yield from (p for p in (seen[-1] + 1, seen[0] - 1) if p in self._sheets)

    def _want(self) -> None:
        """Ask for the next page that is missing, or too coarse for how large it is shown."""
        if self._stands_in or self._awaited or not self.isVisible():
            return
        shown = self._sheets.width * self.devicePixelRatioF()
        wide = min(max(round(shown * _FINER), _DRAWN[0]), _DRAWN[1])
        for page in self._near():
            held = self._images.get(page)
            coarse = held is None or held.width() < 0.9 * shown
            if coarse and page not in self._refused and wide > 1.1 * self._asked.get(page, 0):
                self._asked[page], self._awaited = wide, page
                self.page_wanted.emit(page, wide)
                return

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(self.font(), -1))
        c = theme.of(self.palette())
        for page in self._in_view():
            place = self.rect_of(page)
            self._paint_page(painter, page, place)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(c.line, 1))  # a white page ends somewhere, also on a white window
            painter.drawRect(place)
            found = [area.translated(place.topLeft()) for area, _ in self._found(page)]
            if found:
                paint_regions(painter, found, c, 1.0)
        painter.end()

    def _paint_page(self, painter: QPainter, page: int, place: QRectF) -> None:
        image = self._images.get(page)
        if image is None:
            painter.fillRect(place, _PAPER)
            painter.setPen(_ON_PAPER)
            said = s.PAGE_REFUSED if page in self._refused else s.page_of(page, None)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, said)
            return
        wide = round(place.width() * self.devicePixelRatioF())
        if wide >= image.width():
            painter.drawImage(place, image)
            return
        if page not in self._scaled:  # once: drawing a page at a third looks moth-eaten
            scaled = image.scaledToWidth(wide, Qt.TransformationMode.SmoothTransformation)
            scaled.setDevicePixelRatio(self.devicePixelRatioF())
            self._scaled[page] = QPixmap.fromImage(scaled)
        painter.drawPixmap(place.topLeft(), self._scaled[page])

    # Zoom

    def zoom(self, steps: int, at: float | None = None) -> None:
        """In (positive) or out; the first step in goes to what matched. `at`: what stays, else the
        middle of the view."""
        if not self._page:
            return
        low, high = _WIDTHS
        wide = self._sheets.width * _STEP**steps
        if not low < wide < high:
            return
        to_match = at is None and steps > 0 and self._wide is None and self._follows
        anchor = self._anchor(at)
        self._wide = wide
        self._follows = to_match and bool(self._found(self._page))
        self._lay_out(anchor)
        if self._follows:
            self._follows = False
            [(area, _), *_rest] = self._found(self._page)
            self._centre(area.center() + self._sheets.rect(self._page).topLeft())
        else:
            bar = self.horizontalScrollBar()
            bar.setValue(bar.maximum() // 2)

    def _centre(self, at: QPointF) -> None:
        for bar, place, seen in (
            (self.verticalScrollBar(), at.y(), self.viewport().height()),
            (self.horizontalScrollBar(), at.x() + GRID, self.viewport().width()),
        ):
            bar.setValue(round(place - seen / 2))

    def fit(self) -> None:
        """As wide as the view; asked for again a whole page; and back."""
        self._whole = self._wide is None and not self._whole
        anchor = self._anchor()
        self._wide = None
        self._follows = self._follows or self._whole
        self._lay_out(anchor)

    # Regions to search with

    @property
    def region_mode(self) -> bool:
        return self._band.on

    def set_region_mode(self, on: bool) -> None:
        """Whether a drag marks a region to search with, instead of moving the pages."""
        self._band.set_mode(on and bool(self._images) and not self._stands_in)

    def _cut_out(self, area: QRect) -> None:
        """The marked part of the page that has most of it, in the pixels it was drawn with."""
        self.set_region_mode(False)
        parts = {page: self.rect_of(page) & QRectF(area) for page in self._in_view()}
        parts = {page: part for page, part in parts.items() if page in self._images}
        if not parts:
            return
        page = max(parts, key=lambda page: parts[page].width() * parts[page].height())
        image, place, part = self._images[page], self.rect_of(page), parts[page]
        factor = image.width() / place.width()
        corner = (part.topLeft() - place.topLeft()) * factor
        cut = QRectF(corner, part.size() * factor).toAlignedRect() & image.rect()
        if cut.width() > 3 and cut.height() > 3:
            self.region_chosen.emit(image.copy(cut))

    # Input

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = event.position().toPoint()
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            at = event.position().toPoint()
            moved, self._held = at - self._held, at
            self._follows = False
            for bar, by in (
                (self.verticalScrollBar(), moved.y()),
                (self.horizontalScrollBar(), moved.x()),
            ):
                bar.setValue(bar.value() - by)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if event.angleDelta().y() > 0 else -1, event.position().y())
            event.accept()
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        match event.key():
            case Qt.Key.Key_Escape if self.region_mode:
                self.set_region_mode(False)
            case Qt.Key.Key_Home | Qt.Key.Key_End as key:
                self._follows = False
                bar.setValue(bar.minimum() if key == Qt.Key.Key_Home else bar.maximum())
            case _:
                super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at, words = QPointF(event.pos()), []
            for page in self._in_view():
                inside = at - self.rect_of(page).topLeft()
                words += [w for area, w in self._found(page) if w and area.contains(inside)]
            QToolTip.showText(event.globalPos(), ", ".join(dict.fromkeys(words)), self)
            return True
        return super().viewportEvent(event)
