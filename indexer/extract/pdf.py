"""PDF pages: their text layer with the place of every word, or OCR where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.types import WordBox
from indexer.extract import ocr, render
from indexer.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part

MAX_PAGES = 2000
MAX_OCR_PAGES = 40  # a second or so each; the deadline is for the whole file
OCR_DPI = 150
OCR_PIXELS = 4_000_000
FEW_CHARACTERS = 20


@contextmanager
def opened_document(path: Path) -> Iterator[Any]:
    """A document PyMuPDF reads; ExtractError when it is encrypted, broken or can't be opened."""
    with render.quiet_mupdf() as pymupdf:
        try:
            with pymupdf.open(path) as document:
                if document.needs_pass and not document.authenticate(""):
                    raise ExtractError("encrypted")
                if len(document) == 0:
                    raise ExtractError("broken", "it has no pages")
                yield document
        except ExtractError:
            raise
        except PermissionError as error:
            raise ExtractError("unreadable", str(error.strerror)) from error
        except MemoryError as error:
            raise ExtractError("too-complex", "it needs too much memory") from error
        except Exception as error:
            raise ExtractError("broken", f"{type(error).__name__}: {error}"[:200]) from error


def extract_pdf(path: Path, options: ExtractOptions) -> Extraction:
    """One part per page that has text, pixels or a thumbnail."""
    notes: list[str] = []
    with opened_document(path) as document:
        pages = len(document)
        if pages > MAX_PAGES:
            notes.append(f"Only the first {MAX_PAGES} of {pages} pages were read.")
        headings = _headings(document)
        parts: list[Part] = []
        ocr_left = MAX_OCR_PAGES
        failed: list[int] = []
        for number in range(min(pages, MAX_PAGES)):
            try:
                part = _page_part(document[number], options, ocr_left)
            except ExtractError:
                raise
            except Exception:  # noqa: BLE001 - one broken page must not lose the others
                failed.append(number + 1)
                continue
            ocr_left -= part.ocr
            part.heading = headings(number + 1)
            parts.append(part)
        if failed and not parts:
            raise ExtractError("broken", "none of its pages can be read")
        if failed:
            notes.append(f"{len(failed)} damaged pages were left out, the first is {failed[0]}.")
        if ocr_left == 0:
            notes.append(f"Only the first {MAX_OCR_PAGES} pages without text went through OCR.")
        title = str((document.metadata or {}).get("title") or "").strip()
    kept = [part for part in parts if part.text or part.image or part.thumb]
    return Extraction("pdf", kept, title=title, pages=pages, notes=notes)


def _page_part(page: Any, options: ExtractOptions, ocr_left: int) -> Part:
    text, words = page_text(page)
    part = Part(text, page=page.number + 1, words=words)
    name = f"page-{page.number + 1}"
    first = page.number == 0
    if len(text.strip()) < FEW_CHARACTERS and options.ocr and ocr_left > 0 and _has_marks(page):
        picture = render.page_image(page, OCR_PIXELS, OCR_DPI)
        seen, boxes = ocr.as_text(ocr.read(np.asarray(picture)))
        if len(seen) > len(text):
            part.text, part.words = seen, boxes
        part.ocr = True
    if options.thumbs and first:
        picture = render.page_image(page, render.THUMB_SIDE**2, 72)
        part.thumb = render.save_thumb(picture, options.scratch, name)
    if options.pixels:
        picture = render.page_image(page, options.max_pixels)
        part.image = render.save_pixels(picture, options.scratch, name, options.max_pixels)
    return part


def _has_marks(page: Any) -> bool:
    return bool(page.get_images() or page.get_cdrawings() or page.first_annot)


def page_text(page: Any) -> tuple[str, list[WordBox]]:
    """The text layer in reading order and the box of each word, as fractions of the page."""
    x, y = page.rect.x0, page.rect.y0
    width, height = max(page.rect.width, 1e-6), max(page.rect.height, 1e-6)
    pieces: list[str] = []
    words: list[WordBox] = []
    at = 0
    last: tuple[int, int] | None = None
    for x0, y0, x1, y1, word, block, line, _ in page.get_text("words"):
        if last is not None:
            gap = " " if last == (block, line) else "\n" if last[0] == block else "\n\n"
            pieces.append(gap)
            at += len(gap)
        last = (block, line)
        box = ((x0 - x) / width, (y0 - y) / height, (x1 - x) / width, (y1 - y) / height)
        words.append(WordBox(at, at + len(word), box))
        pieces.append(word)
        at += len(word)
    return "".join(pieces), words


def _headings(document: Any) -> Any:
    """A function from page number to the path of outline entries that page stands under."""
    toc = document.get_toc()

    def at(page: int) -> tuple[str, ...]:
        path: list[str] = []
        for level, title, start in toc:
            if start > page:
                break
            path[level - 1 :] = [title.strip()]
        return tuple(path)

    return at


EXTRACTORS: tuple[Extractor, ...] = (
    Extractor(
        "pdf",
        1,
        frozenset({"pdf"}),
        "pdf",
        extract_pdf,
        deadline_s=180.0,
        sniff=lambda head: b"%PDF-" in head[:1024],
    ),
)
