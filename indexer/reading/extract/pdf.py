"""PDF pages: their text layer with the place of every word, or OCR where there is none."""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import replace
from pathlib import Path
from statistics import median_low
from typing import Any

from PIL import Image

from engine.contract.types import WordBox
from indexer.reading.extract import pdf_figures, render
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.members import Members
from indexer.reading.extract.mupdf import opened_document
from indexer.reading.extract.ocr_pages import OcrPages
from indexer.reading.extract.page_titles import page_titles
from indexer.reading.extract.pdf_extras import Reading, add_embedded_files, pinned_files, remarks
from indexer.reading.extract.pdf_text import is_garbled, page_text
from indexer.reading.extract.properties import add_told, told

MAX_PAGES = 2000
OCR_DPI = 150
OCR_PIXELS = 4_000_000
#: Of a page for encoders that see, as many as they were trained with; words are read from the text.
PAGE_PIXELS = 602_112
FEW_CHARACTERS = 20  # a page number, a stamp: not the page's text
FEW_COVER = 0.1
SCAN_CHARACTERS = 300  # a scan may carry a typed header …
SCAN_COVER = 0.5  # … when pictures cover this share of the page
STAMP_HEIGHT = 0.12  # a longer text that fills less of the height is a notice on a scan
STRIP_WIDTH = 0.5  # of the page's width: pictures that may be strips of one
ALIKE = 0.8  # of the text layer's length; what OCR reads is that and more
#: What programs write when nobody gave a title: their name, the file's name, a number.
_NO_TITLE = re.compile(r"untitled|microsoft (word|powerpoint|excel)|\.\w{2,4}$|^[\W\d_]*$", re.I)
_TAG = re.compile(r"<[^>]*>")
MAX_TITLE = 200


def extract_pdf(path: Path, options: ExtractOptions) -> Extraction:
    """One part per page; the first has a thumbnail, previews of others are rendered when asked.

    Pages that only OCR reads and there was no time for are `unread`.
    """
    with opened_document(path) as document:
        pages = len(document)
        reader = _Reader(options)
        headings = _headings(document, min(pages, MAX_PAGES))
        for number in range(min(pages, MAX_PAGES)):
            reader.read(document, number, headings[number])
        notes = reader.ocr.notes(min(pages, MAX_PAGES), pages) + reader.notes()
        if pages > MAX_PAGES:
            notes.append(f"Only the first {MAX_PAGES} of {pages} pages were read.")
        if not reader.parts:
            raise ExtractError("broken", "none of its pages can be read")
        title, big_line = _title(document), _big_line(document)
        members = Members(options)
        notes += add_embedded_files(document, members)
        for name, read in reader.pinned:
            members.add(name, read)
        # The creator is the program.
        others = told({**(document.metadata or {}), "creator": None})
    titles = page_titles([part.text for part in reader.parts])
    for part, own in zip(reader.parts, titles, strict=True):
        part.heading = (*part.heading, own) if own else part.heading
    kept = [part for part in reader.parts if part.text or part.image or part.thumb]
    add_told(kept, others)
    listed = members.listing()
    kept += [Part(listed, symbol=listed.partition("\n")[0])] if listed else []
    for part in members.parts:
        part.page = None  # of the attachment, not of this document
        kept.append(part)
    notes += members.notes()
    return Extraction(
        "pdf",
        kept,
        title=title,
        big_line=big_line,
        attributes={"pages": pages},
        notes=notes,
        ocr_pages=reader.ocr.to_keep,
        unread=len(reader.ocr.unread),
    )


class _Reader:
    """Reads page after page, by OCR those that want it."""

    def __init__(self, options: ExtractOptions) -> None:
        self.parts: list[Part] = []
        self.ocr = OcrPages(options.ocr_pages, options.ocr_seconds)
        self._options = options
        self._damaged: list[int] = []
        self._figures = pdf_figures.Figures()
        self._figure_seconds, self._figures_left_out = 0.0, 0
        self.pinned: list[tuple[str, Reading]] = []  # files, by name

    def read(self, document: Any, number: int, heading: tuple[str, ...]) -> None:
        """One page (0-based); a damaged one must not lose the others."""
        try:
            part = self._part(document[number], number)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - MuPDF raises several unrelated types
            self._damaged.append(number + 1)
            return
        part.heading = heading
        self.parts.append(part)

    def notes(self) -> list[str]:
        """What was left out, in words."""
        notes = []
        if self._damaged:
            count, first = len(self._damaged), self._damaged[0]
            notes.append(f"Damaged pages were left out: {count}, the first is page {first}.")
        if self._figures_left_out:
            notes.append(f"Words in pictures on {self._figures_left_out} pages were not read.")
        return notes

    def _part(self, page: Any, number: int) -> Part:
        text, words = page_text(page)
        part = Part(text, page=number + 1, words=words)
        if self._options.ocr:
            if _wants_ocr(page, text, words):
                self._recognise(page, part)
            elif figures := self._figures.of(page, words):
                self._read_figures(page, part, figures)
        self.pinned += pinned_files(page)
        if added := remarks(page, part.text):
            part.text = "\n\n".join(filter(None, (part.text, added)))
        name = f"page-{number + 1}"
        if self._options.thumbs and number == 0:
            picture = render.page_image(page, render.THUMB_SIDE**2, 72)
            part.thumb = render.save_thumb(picture, self._options.scratch, name)
        if self._options.pixels:
            limit = min(self._options.max_pixels, PAGE_PIXELS)
            picture = render.page_image(page, limit, dpi=200)
            part.image = render.save_pixels(picture, self._options.scratch, name, limit)
        return part

    def _recognise(self, page: Any, part: Part) -> None:
        def picture() -> Image.Image:
            return render.page_image(page, OCR_PIXELS, OCR_DPI)

        found = self.ocr.read(page.number + 1, picture)
        if not found or not found.text:
            return
        if len(found.text) > ALIKE * len(part.text) or is_garbled(part.text):
            part.text, part.words, part.ocr = found.text, found.words, True
        else:  # beside a longer text layer: what is in the picture alone
            _add_lines(part, found.text, found.words)

    def _read_figures(self, page: Any, part: Part, figures: list[pdf_figures.Figure]) -> None:
        number = page.number + 1
        if self._figure_seconds > pdf_figures.FIGURE_SECONDS and not self.ocr.knows(number):
            self._figures_left_out += 1
            return
        began = time.process_time()
        region = pdf_figures.region_of(figures)
        found = self.ocr.read(number, lambda: pdf_figures.drawn(page, figures, region), glance=True)
        self._figure_seconds += time.process_time() - began
        if found:
            _add_lines(part, found.text, pdf_figures.on_page(found.words, region))


def _add_lines(part: Part, text: str, words: list[WordBox]) -> None:
    """Lines that say what the part's text does not hold go to its end."""
    held, start = set(part.text.split()), 0
    for line in text.split("\n"):
        if not held.issuperset(line.split()) and sum(map(str.isalnum, line)) > 1:
            shift = len(part.text) + 1 - start
            part.words += [
                replace(word, start=word.start + shift, end=word.end + shift)
                for word in words
                if start <= word.start < start + len(line)
            ]
            part.text = f"{part.text}\n{line}"
        start += len(line) + 1


def _wants_ocr(page: Any, text: str, words: list[WordBox]) -> bool:
    if not text:
        return True
    if len(text) < SCAN_CHARACTERS:
        return _picture_cover(page) > (FEW_COVER if len(text) < FEW_CHARACTERS else SCAN_COVER)
    if is_garbled(text):
        return True
    # A notice stamped on a scan fills a band of it; the text layer of one stands all over it.
    return _height_of(words) < STAMP_HEIGHT and _picture_cover(page) > SCAN_COVER


def _height_of(words: list[WordBox]) -> float:
    """Share of the page's height on which there is text."""
    covered, reach = 0.0, 0.0
    for top, bottom in sorted((word.box[1], word.box[3]) for word in words):
        covered += max(0.0, bottom - max(top, reach))
        reach = max(reach, bottom)
    return covered


def _picture_cover(page: Any) -> float:
    """Share of the page that its pictures cover; a scan may be stored in strips."""
    area = max(1.0, page.rect.width * page.rect.height)
    boxes = [image["bbox"] for image in page.get_image_info()]
    largest = max(((x1 - x0) * (y1 - y0) / area for x0, y0, x1, y1 in boxes), default=0.0)
    strips = [(y0, y1) for x0, y0, x1, y1 in boxes if x1 - x0 > STRIP_WIDTH * page.rect.width]
    covered, reach = 0.0, 0.0
    for top, bottom in sorted(strips):
        covered += max(0.0, bottom - max(top, reach))
        reach = max(reach, bottom)
    return float(max(largest, covered / max(1.0, page.rect.height)))


def _headings(document: Any, pages: int) -> list[tuple[str, ...]]:
    """For each page the path of outline entries it stands under, outermost first."""
    starts: dict[int, tuple[str, ...]] = {}
    path: list[str] = []
    for level, title, page, *_ in _outline(document):
        path[level - 1 :] = [" ".join(title.split())[:MAX_TITLE]]
        if page > 0:
            starts[page] = tuple(path)
    found: list[tuple[str, ...]] = []
    for number in range(1, pages + 1):
        found.append(starts.get(number, found[-1] if found else ()))
    return found


def _outline(document: Any) -> list[Any]:
    try:
        outline: list[Any] = document.get_toc()
    except Exception:  # noqa: BLE001 - a damaged outline must not lose the pages
        return []
    return outline


def _title(document: Any) -> str:
    """The title the metadata gives, unless it is a program's guess."""
    said = _TAG.sub(" ", str((document.metadata or {}).get("title") or ""))
    said = " ".join(unicodedata.normalize("NFKC", said).split())
    return said[:MAX_TITLE] if not _NO_TITLE.search(said) and said.isprintable() else ""


def _big_line(document: Any) -> str:
    """The first page's lines in its largest print, where one stands out."""
    import pymupdf

    # With pictures their bytes would come along: a tenth of the time that a document takes.
    flags = pymupdf.TEXTFLAGS_DICT & ~pymupdf.TEXT_PRESERVE_IMAGES
    try:
        blocks = document[0].get_text("dict", flags=flags, sort=True)["blocks"]
    except Exception:  # noqa: BLE001 - as for damaged pages
        return ""
    lines = [
        (round(max(span["size"] for span in line["spans"]), 1), _line_text(line))
        for block in blocks
        for line in block.get("lines", ())
        if line["spans"]
    ]
    lines = [(size, text) for size, text in lines[:60] if sum(map(str.isalpha, text)) >= 4]
    if not lines:
        return ""
    largest = max(size for size, _ in lines)
    if largest < 1.15 * median_low(size for size, _ in lines):
        return ""  # nothing stands out
    first = next(n for n, (size, _) in enumerate(lines) if size == largest)
    words = [text for size, text in lines[first : first + 3] if size == largest]
    return " ".join(words)[:MAX_TITLE]


def _line_text(line: dict[str, Any]) -> str:
    text = "".join(span["text"] for span in line["spans"])
    return " ".join(unicodedata.normalize("NFKC", text).split())


EXTRACTORS: tuple[Extractor, ...] = (
    Extractor(
        "pdf",
        5,
        frozenset({"pdf"}),
        "pdf",
        extract_pdf,
        processor_s=180.0,
        sniff=lambda head: b"%PDF-" in head[:1024],
        reads="pages with the place of every word, columns in order; scans and pictures"
        " among print by OCR; notes, highlights, form fields, links; attached"
        " files as places; title, author, keywords, bookmarks",
    ),
)
