"""Small pictures of results: fetched in the background, kept while they are likely seen again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtCore import QByteArray, QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap

from desktop.jobs import Jobs
from desktop.presentation import kinds
from engine.contract.errors import InklingError
from engine.contract.types import Hit

_KEPT = 200  # thumbnails; 256 x 256 x 4 bytes each: 50 MB at the very most, half of it as files are
Key = tuple[str, float, int | None, str]


class Thumbnails(QObject):
    """Answers at once with what it has and tells when there is more."""

    ready = Signal()

    def __init__(self, fetch: Callable[..., bytes | None], parent: QObject | None = None) -> None:
        """`fetch(path, page)`, of a file in an archive with its name as `archive`."""
        super().__init__(parent)
        self._fetch = fetch
        # Threads of their own: a screenful of thumbnails must not delay the preview.
        self._jobs = Jobs(self, threads=2)
        self._kept: OrderedDict[Key, dict[int, QPixmap]] = (
            OrderedDict()
        )  # by edge; {}: there is none
        self._asked: set[Key] = set()
        self.edge = 256  # device pixels of the longer side

    def get(self, hit: Hit, edge: int | None = None) -> QPixmap | None:
        """The thumbnail if it is here; else it is asked for and `ready` follows.

        `edge`: device pixels of the longer side at which it is drawn; scaling while drawing frays.
        """
        key = (hit.path, hit.mtime, hit.location.page, hit.archive)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._sized(self._kept[key], self.edge if edge is None else edge)
        if key not in self._asked and kinds.of(hit).has_thumbnail:
            self._asked.add(key)
            self._jobs.run(
                lambda: self._load(key),
                lambda image: self._keep(key, image),
                lambda error: self._missing(key, error),
            )
        return None

    def _sized(self, sizes: dict[int, QPixmap], edge: int) -> QPixmap | None:
        whole = sizes.get(self.edge)
        if whole is None or edge >= max(whole.width(), whole.height()):
            return whole
        if edge not in sizes:
            sizes[edge] = whole.scaled(
                QSize(edge, edge),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        return sizes[edge]

    def close(self) -> None:
        self._jobs.close()

    def _load(self, key: Key) -> QImage | None:
        path, _, page, archive = key
        data = self._fetch(path, page, archive=archive) if archive else self._fetch(path, page)
        image = QImage.fromData(QByteArray(data)) if data else QImage()
        if image.isNull():
            return None
        wanted = QSize(self.edge, self.edge)
        if image.width() > self.edge or image.height() > self.edge:
            image = image.scaled(
                wanted,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        return image

    def _keep(self, key: Key, image: QImage | None) -> None:
        self._asked.discard(key)
        self._kept[key] = {} if image is None else {self.edge: QPixmap.fromImage(image)}
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self.ready.emit()

    def _missing(self, key: Key, _error: InklingError) -> None:
        self._keep(key, None)
