"""What tests of the preview share: pages to show, and what is seen of them."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF
from PySide6.QtGui import QColor, QImage, QTextBlock
from PySide6.QtWidgets import QTextEdit
from pytestqt.qtbot import QtBot

from desktop.preview.pane import PreviewPane
from engine.contract.codec import from_data
from engine.contract.types import Hit
from tests.desktop.scripted_indexer import hit

PAGES = 3


def png(width: int, colour: str, *, pages: int = PAGES, height: int | None = None) -> bytes:
    image = QImage(width, height or width * 5 // 4, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    image.setText("Pages", str(pages))
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "PNG")
    return bytes(data.data())


PDF = hit(
    "/d/report.pdf",
    kind="pdf",
    location={"page": 2},
    evidence=[
        {"type": "box", "page": 2, "box": [0.1, 0.2, 0.5, 0.3], "word": "alpha"},
        {"type": "box", "page": 2, "box": [0.6, 0.7, 0.9, 0.8], "word": "beta"},
    ],
    more=[{"location": {"page": 1}, "snippet": "first", "score": 0.1}],
)


def show(qtbot: QtBot, pane: PreviewPane, data: dict[str, object]) -> None:
    with qtbot.waitSignal(pane.shown):
        pane.show_hit(from_data(data, Hit))


def orange(pane: PreviewPane, box: tuple[float, float, float, float]) -> bool:
    """Whether the box's upper edge is drawn where it belongs on the page in view."""
    view = pane.pages
    place = view.rect_of(view.page)
    at = place.topLeft() + QPointF((box[0] + box[2]) / 2 * place.width(), box[1] * place.height())
    shot = view.viewport().grab().toImage()
    ratio = shot.devicePixelRatio()
    for dy in range(-6, 4):
        colour = shot.pixelColor(int(at.x() * ratio), int((at.y() + dy) * ratio))
        if colour.red() > 180 and colour.blue() < 120:
            return True
    return False


def blocks(view: QTextEdit) -> list[QTextBlock]:
    return [view.document().findBlockByNumber(n) for n in range(view.document().blockCount())]
