"""A picture: zoom, pan, the regions that matched, and a rectangle to search with."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsPixmapItem,
    QGraphicsScene,
    QGraphicsView,
    QToolTip,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.preview.region import RegionBand, paint_regions
from desktop.theme import GRID
from engine.contract.types import Box

_STEP = 1.25
_MOST = 8.0  # times the picture's own pixels
_HIGH = 3  # times its width: a screenshot of a page as it is scrolled


class PictureView(QGraphicsView):
    """Shows one image; its boxes are fractions of it, so they hold at any resolution."""

    region_chosen = Signal(QImage)
    sharper_wanted = Signal(int)  # device pixels across
    region_mode_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._item = QGraphicsPixmapItem()
        self._item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._boxes: list[tuple[Box, str]] = []
        self._word: str | None = None  # only this word's boxes
        self._fit = True  # follows the view's size
        self._across = False  # fits the width only
        self._stands_in = False  # a thumbnail, until the picture comes
        self._asked = 0
        scene = QGraphicsScene(self)
        scene.addItem(self._item)
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        self.setBackgroundBrush(Qt.BrushStyle.NoBrush)
        self.setAccessibleName(s.PICTURE_NAME)
        self._band = RegionBand(self.viewport())
        self._band.chosen.connect(self._cut_out)
        self._band.mode_changed.connect(self.region_mode_changed)

    @property
    def image(self) -> QImage:
        return self._image

    def show_image(
        self,
        image: QImage,
        boxes: Sequence[tuple[Box, str]],
        *,
        stands_in: bool = False,
    ) -> None:
        """A new picture, whole; what is so high that nothing could be seen of the whole as wide as
        the view, at what matched on it.

        `stands_in`: a thumbnail, as large as the picture that is awaited will be.
        """
        self._stands_in = stands_in
        self._boxes = list(boxes)
        self._word = None
        self._asked = 0
        self._across = image.height() > _HIGH * image.width()
        self._put(image)
        self.set_region_mode(False)
        self._refit()

    def set_boxes(self, boxes: Sequence[tuple[Box, str]]) -> None:
        """Other regions on the same picture."""
        self._boxes = list(boxes)
        self.viewport().update()

    def show_sharper(self, image: QImage) -> None:
        """The same picture with more pixels; what is in view stays."""
        if image.width() <= self._image.width():
            return
        centre = self.mapToScene(self.viewport().rect().center())
        factor = image.width() / max(self._image.width(), 1)
        self._put(image)
        self.scale(1 / factor, 1 / factor)
        self.centerOn(centre * factor)
        self._smooth()

    def _put(self, image: QImage) -> None:
        self._image = image
        self._item.setPixmap(QPixmap.fromImage(image))
        self._item.setScale(1.0)
        self.setSceneRect(QRectF(image.rect()))

    def _smooth(self) -> None:
        """Show a well-scaled copy when small: drawing a page at a third looks moth-eaten."""
        ratio = self.transform().m11() * self.devicePixelRatioF()
        wide = round(self._image.width() * ratio)
        if self._image.isNull() or wide < 1:
            return
        full = ratio > 0.75
        if full and self._item.scale() == 1.0:
            return
        shown = self._image
        if not full:
            shown = shown.scaledToWidth(wide, Qt.TransformationMode.SmoothTransformation)
        self._item.setPixmap(QPixmap.fromImage(shown))
        self._item.setScale(self._image.width() / max(shown.width(), 1))

    def clear(self) -> None:
        self._boxes = []
        self._put(QImage())

    def show_word(self, word: str | None) -> None:
        """Draw only this query word's regions; None: all."""
        self._word = word
        self.viewport().update()

    def fit(self) -> None:
        """The whole picture; asked for again, as wide as the view; and back."""
        self._across = self._fit and not self._across and self._image.height() > 0
        self._refit()

    def _refit(self) -> None:
        """Fit again; small pictures are not blown up beyond twice their size."""
        self._fit = True
        self.resetTransform()
        size, room = self._image.size(), self._room()
        if size.isEmpty() or room.width() < 1 or room.height() < 1:
            return
        most = _MOST * 2 if self._stands_in else 2.0
        whole = min(room.width() / size.width(), room.height() / size.height(), most)
        bar = self.verticalScrollBar().sizeHint().width()
        across = min((room.width() - bar) / size.width(), most)
        ratio = across if self._across else whole
        self.scale(ratio, ratio)
        if self._across:
            top = self._rect(self._boxes[0][0]).center().y() if self._boxes else 0.0
            self.centerOn(size.width() / 2, top)
        self._smooth()
        self._want_pixels()

    def _room(self) -> QSize:
        # A margin around the picture; it also keeps fitting from calling for scroll bars.
        return self.viewport().size() - QSize(2 * GRID, GRID)

    def zoom(self, steps: int) -> None:
        """In (positive) or out; the first step in goes to the region that matched."""
        if self._image.isNull():
            return
        at_match = self._fit and steps > 0 and self._boxes
        self._fit = False
        factor = _STEP**steps
        if not 0.02 < self.transform().m11() * factor < _MOST:
            return
        self.scale(factor, factor)
        if at_match:
            self.centerOn(self._rect(self._boxes[0][0]).center())
        self._smooth()
        self._want_pixels()

    def _want_pixels(self) -> None:
        """Ask for a sharper rendering once the present one is stretched."""
        if self._stands_in:
            return
        wanted = round(self._image.width() * self.transform().m11() * self.devicePixelRatioF())
        if wanted > self._image.width() * 1.1 and wanted > self._asked * 1.2:
            self._asked = wanted
            self.sharper_wanted.emit(min(wanted, 4_000))

    def _rect(self, box: Box) -> QRectF:
        width, height = self._image.width(), self._image.height()
        return QRectF(
            QPointF(box[0] * width, box[1] * height), QPointF(box[2] * width, box[3] * height)
        )

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        if self._image.isNull():
            return
        c = theme.of(self.palette())
        scale = self.transform().m11() or 1.0
        edge = QPen(c.line, 1)  # a white page ends somewhere, also on a white window
        edge.setCosmetic(True)
        painter.setPen(edge)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(self._image.rect()))
        areas = [self._rect(box) for box, word in self._boxes if self._word in (None, word)]
        paint_regions(painter, areas, c, scale)

    @property
    def region_mode(self) -> bool:
        return self._band.on

    def set_region_mode(self, on: bool) -> None:
        """Whether a drag marks a region to search with, instead of moving the picture."""
        on = on and not self._image.isNull()
        mode = QGraphicsView.DragMode.NoDrag if on else QGraphicsView.DragMode.ScrollHandDrag
        self.setDragMode(mode)
        self._band.set_mode(on)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if not self.region_mode:
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)

    def _cut_out(self, area: QRect) -> None:
        """Search with this part of the picture."""
        cut = self.mapToScene(area).boundingRect().toAlignedRect() & self._image.rect()
        self.set_region_mode(False)
        if cut.width() > 3 and cut.height() > 3:
            self.region_chosen.emit(self._image.copy(cut))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.region_mode:
            self.set_region_mode(False)
            return
        if self._fit and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
            return
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fit:
            self._refit()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self.mapToScene(event.pos())
            words = [w for box, w in self._boxes if w and self._rect(box).contains(at)]
            QToolTip.showText(event.globalPos(), ", ".join(dict.fromkeys(words)), self)
            return True
        return super().viewportEvent(event)
