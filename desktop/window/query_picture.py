"""Pictures to search with: from the clipboard, a drop, a file or a region of a preview."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from engine.contract.errors import InklingError

#: What the indexer can read as a query.
_ENDINGS = (
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif",
)  # fmt: skip
_EDGE = 120  # device pixels of the small copy in the search field


def picture_in(data: QMimeData | None) -> bool:
    """Whether there is a picture to search with: pixels, or a file with a picture's ending."""
    return data is not None and (data.hasImage() or bool(picture_file(data)))


def picture_file(data: QMimeData) -> str:
    """The local picture file in it, or nothing."""
    for url in data.urls() if data.hasUrls() else []:
        path = url.toLocalFile()
        if path.lower().endswith(_ENDINGS):
            return path
    return ""


def keep_picture(image: QImage, path: Path) -> QImage:
    """Write pixels where only this person can read them; the small copy. For a worker thread."""
    path.touch(mode=0o600)
    if not image.save(str(path)):
        raise InklingError("The picture could not be kept.", hint="Is the disk full?")
    return _small(image)


def small_picture(path: str) -> QImage:
    """The small copy of a picture file, decoded no larger than needed. For a worker thread."""
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid():
        reader.setScaledSize(size.scaled(QSize(_EDGE, _EDGE), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():  # a format that only the indexer knows: an empty tile stands for it
        image = QImage(8, 8, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
    return image


def _small(image: QImage) -> QImage:
    return image.scaled(
        QSize(_EDGE, _EDGE),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
