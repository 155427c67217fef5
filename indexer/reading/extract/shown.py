"""What a model in the role of sight is given of a file: a picture as it is, of a document its first
page and those that show something beside words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from indexer.reading.extract.mupdf import opened_document
from indexer.reading.extract.render import drawn, page_image, save_pixels

#: More than any model sees at once.
_PICTURE_WIDTH = 1600
_MAX_PIXELS = 2_000_000
_PAGE_PIXELS = 602_112
#: Pages of a document that are given, and that are looked at for it.
MOST_PAGES, MOST_TRIED = 16, 400
#: Share of the page from which on pictures and drawings are a figure; a rule or an underline is
#: thinner than the share of a side, a background covers more than the last.
_FIGURE, _THIN, _GROUND = 0.06, 0.01, 0.9
#: Lines and areas that make a drawing; a frame and a few rules are none.
_STROKES = 12


def save_shown(path: Path, folder: str, *, document: bool) -> list[tuple[int | None, str]]:
    """Pages (1-based; None of a file that is one picture) and names of PNG files in the folder;
    ExtractError if it can't be drawn."""
    if not document:
        image, _ = drawn(path, 1, _PICTURE_WIDTH)
        return [(None, save_pixels(image, folder, "picture", _MAX_PIXELS))]
    saved: list[tuple[int | None, str]] = []
    with opened_document(path) as pages:
        for number in _telling(pages):
            image = page_image(pages[number], _PAGE_PIXELS, dpi=200)
            name = save_pixels(image, folder, f"page-{number + 1}", _PAGE_PIXELS)
            saved.append((number + 1, name))
            if len(saved) == MOST_PAGES:
                break
    return saved


def _telling(document: Any) -> Iterator[int]:
    """Places of the pages that show something; the first in any case."""
    yield 0
    for number in range(1, min(len(document), MOST_TRIED)):
        try:
            shows = shows_figure(document[number])
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 -- a damaged page must not lose the others
            continue
        if shows:
            yield number


def shows_figure(page: Any) -> bool:
    """Whether there is a picture or a drawing on a page."""
    wide, high = max(page.rect.width, 1.0), max(page.rect.height, 1.0)
    pictures, strokes = [], []
    for kind, box in page.get_bboxlog():
        x0, y0, x1, y1 = box[0] / wide, box[1] / high, box[2] / wide, box[3] / high
        if min(x1 - x0, y1 - y0) < _THIN:
            strokes += [(x0, y0, x1, y1)] * ("path" in kind)
        elif "image" in kind or "shade" in kind:
            pictures.append((x0, y0, x1, y1))
        elif "path" in kind and (x1 - x0) * (y1 - y0) < _GROUND:
            strokes.append((x0, y0, x1, y1))
    if any((x1 - x0) * (y1 - y0) >= _FIGURE for x0, y0, x1, y1 in pictures):
        return True
    return len(strokes) >= _STROKES and _area(strokes) >= _FIGURE


def _area(boxes: Iterable[tuple[float, float, float, float]]) -> float:
    """Of the box around all that is no rule across the page."""
    inner = [box for box in boxes if box[2] - box[0] < 0.5 or box[3] - box[1] >= _THIN]
    if len(inner) < _STROKES:
        return 0.0
    x0, y0, x1, y1 = zip(*inner, strict=True)
    return float((max(x1) - min(x0)) * (max(y1) - min(y0)))
