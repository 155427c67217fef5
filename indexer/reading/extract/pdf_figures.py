"""Pictures among the print of a page: charts, screenshots and tables that are pasted in as such."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from engine.contract.types import Box, WordBox

#: Of processor time for those of one file; on how many pages they are left out is told.
FIGURE_SECONDS = 20.0
_MOST = 6  # of a page, the largest
_PIXELS, _LEAST_DPI, _DPI = 2_000_000, 100, 300  # of all of a page together; as fine as they are
_LEAST_AREA, _LEAST_SIDE = 0.02, 0.05  # of the page
_LEAST_WIDTH, _LEAST_HEIGHT = 120, 40  # pixels
#: Words of the page's own that stand on a picture, from which on it lies behind them; and their
#: share on all pictures, from which on the page is a scan that has its text.
_PRINTED, _SCANNED = 20, 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture on a page."""

    box: Box  # fractions of the page as it is shown
    dpi: float  # its own

    @property
    def area(self) -> float:
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


class Figures:
    """Finds those of one document, page by page; one that many pages show (a letterhead) once."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int, int]] = set()

    def of(self, page: Any, words: Sequence[WordBox]) -> list[Figure]:
        """The pictures that may hold words, largest first."""
        if not _may_have_pictures(page):
            return []
        found: dict[tuple[int, int, int], Figure] = {}
        printed = 0
        for info in page.get_image_info():
            box = _as_shown(page, info["bbox"])
            on_it = _words_on(box, words)
            printed += on_it
            kind = (info["width"], info["height"], info["size"])
            side = max(info["bbox"][2] - info["bbox"][0], info["bbox"][3] - info["bbox"][1])
            figure = Figure(box, 72 * max(kind[:2]) / max(side, 1.0))
            if on_it < _PRINTED and kind not in self._seen and _is_large(figure, *kind[:2]):
                found[kind] = figure
        if printed > _SCANNED * len(words):
            return []
        self._seen.update(found)
        return sorted(found.values(), key=lambda figure: -figure.area)[:_MOST]


def region_of(figures: Sequence[Figure]) -> Box:
    """The part of the page that they all lie in."""
    x0, y0, x1, y1 = zip(*(figure.box for figure in figures), strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def drawn(page: Any, figures: Sequence[Figure], region: Box) -> Image.Image:
    """That part of a page: white, but for them."""
    import pymupdf

    sides, corner = (page.rect.width, page.rect.height) * 2, tuple(page.rect.tl) * 2
    clip = pymupdf.Rect(*(f * side + at for f, side, at in zip(region, sides, corner, strict=True)))
    dpi = min(_DPI, max(_LEAST_DPI, *(figure.dpi for figure in figures)))
    zoom = min(dpi / 72, math.sqrt(_PIXELS / max(1.0, clip.width * clip.height)))
    matrix = pymupdf.Matrix(zoom, zoom)
    pixmap = page.get_pixmap(matrix=matrix, clip=clip, alpha=False)
    part = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
    paper = Image.new("RGB", part.size, "white")
    for figure in figures:
        at = [
            round((f - start) / max(1e-9, end - start) * side)
            for f, start, end, side in zip(
                figure.box, region[:2] * 2, region[2:] * 2, part.size * 2, strict=True
            )
        ]
        paper.paste(part.crop(tuple(at)), at[:2])  # type: ignore[arg-type]
    return paper


def on_page(words: Sequence[WordBox], region: Box) -> list[WordBox]:
    """Words of such a picture, their boxes as fractions of the page."""
    x, y, width, height = region[0], region[1], region[2] - region[0], region[3] - region[1]
    return [
        WordBox(
            word.start,
            word.end,
            (
                x + word.box[0] * width, y + word.box[1] * height,
                x + word.box[2] * width, y + word.box[3] * height,
            ),
        )
        for word in words
    ]  # fmt: skip


def _may_have_pictures(page: Any) -> bool:
    """Most pages of print name none: asking the document is cheaper than looking at what is drawn.
    Pictures that are part of the drawing itself are small."""
    document, at = page.parent, page.xref
    own = document.xref_get_key(at, "Resources")[0] != "null"
    if own and document.xref_get_key(at, "Resources/XObject")[0] == "null":
        return False
    return bool(page.get_images())


def _as_shown(page: Any, bbox: Sequence[float]) -> Box:
    """Fractions of the page, cut at its edges."""
    import pymupdf

    box = pymupdf.Rect(bbox) * page.rotation_matrix if page.rotation else bbox
    rect = page.rect
    x0, y0, x1, y1 = (min(1.0, max(0.0, f)) for f in (
        (box[0] - rect.x0) / max(1.0, rect.width), (box[1] - rect.y0) / max(1.0, rect.height),
        (box[2] - rect.x0) / max(1.0, rect.width), (box[3] - rect.y0) / max(1.0, rect.height),
    ))  # fmt: skip
    return x0, y0, x1, y1


def _words_on(box: Box, words: Sequence[WordBox]) -> int:
    x0, y0, x1, y1 = box
    return sum(
        x0 < (w.box[0] + w.box[2]) / 2 < x1 and y0 < (w.box[1] + w.box[3]) / 2 < y1 for w in words
    )


def _is_large(figure: Figure, width: int, height: int) -> bool:
    sides = min(figure.box[2] - figure.box[0], figure.box[3] - figure.box[1])
    pixels = width >= _LEAST_WIDTH and height >= _LEAST_HEIGHT
    return pixels and sides >= _LEAST_SIDE and figure.area >= _LEAST_AREA
