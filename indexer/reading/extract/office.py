"""Office documents: Word and OpenDocument text by headings, slides by page, RTF."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.packages import package, xml
from indexer.reading.extract.sections import Sections

_HEADING_STYLE = re.compile(r"(?:heading|überschrift|titre|titolo|título)\s*(\d)", re.IGNORECASE)
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE, _DRAW = (f"{{{_OFFICE}{name}:1.0}}" for name in ("text", "table", "drawing"))
_SPREAD = 200  # a repeated empty OpenDocument row or cell stands for up to a million


def extract_docx(path: Path, options: ExtractOptions) -> Extraction:
    """Paragraphs and tables in order, one part a heading."""
    with package(path):
        from docx import Document

        document = Document(str(path))
    sections = Sections()
    for item in document.iter_inner_content():
        if hasattr(item, "rows"):
            _docx_table(item, sections)
        elif level := _docx_level(item):
            sections.heading(level, item.text)
        else:
            sections.add(item.text)
    return _document(sections, document.core_properties.title or "")


def _docx_level(paragraph: Any) -> int:
    style = paragraph.style.name if paragraph.style is not None else ""
    if style == "Title":
        return 1
    found = _HEADING_STYLE.match(style or "")
    return int(found[1]) + 1 if found else 0


def _docx_table(table: Any, sections: Sections) -> None:
    for row in table.rows:
        # A merged cell comes once for every column it spans.
        cells = list({id(cell._tc): cell.text for cell in row.cells}.values())
        sections.row(cells)


def extract_pptx(path: Path, options: ExtractOptions) -> Extraction:
    """One part a slide: title, shapes in order, tables, speaker notes."""
    with package(path):
        from pptx import Presentation

        presentation = Presentation(str(path))
    parts: list[Part] = []
    for number, slide in enumerate(presentation.slides, 1):
        title = slide.shapes.title.text if slide.shapes.title is not None else ""
        texts = [text for shape in slide.shapes for text in _shape_texts(shape)]
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None:
            texts.append(notes.text)
        _add_slide(parts, number, title, texts)
    title = presentation.core_properties.title or ""
    return Extraction(
        kind="note", parts=parts, title=title, attributes={"pages": len(presentation.slides)}
    )


def _shape_texts(shape: Any) -> Iterator[str]:
    if hasattr(shape, "shapes"):
        for inner in shape.shapes:
            yield from _shape_texts(inner)
    elif shape.has_text_frame:
        yield shape.text_frame.text
    elif getattr(shape, "has_table", False):
        for row in shape.table.rows:
            yield " | ".join(cell.text for cell in row.cells)


def _add_slide(parts: list[Part], number: int, title: str, texts: Iterable[str]) -> None:
    text = "\n".join(stripped for part in texts if (stripped := part.strip()))
    if text:
        heading = (" ".join(title.split()),) if title.strip() else ()
        parts.append(Part(text, heading=heading, page=number))


def extract_odt(path: Path, options: ExtractOptions) -> Extraction:
    """Headings, paragraphs and tables of an OpenDocument text."""
    with package(path) as archive:
        content = xml(archive, "content.xml")
        title = _odf_title(archive)
    sections = Sections()
    for element in _outermost(content, (f"{_TEXT}h", f"{_TEXT}p", f"{_TABLE}table-row")):
        if element.tag == f"{_TEXT}h":
            level = element.get(f"{_TEXT}outline-level", "1")
            sections.heading(int(level) if level.isdigit() else 1, odf_text(element))
        elif element.tag == f"{_TABLE}table-row":
            sections.row(odf_cells(element))
        else:
            sections.add(odf_text(element))
    return _document(sections, title)


def extract_odp(path: Path, options: ExtractOptions) -> Extraction:
    """One part a slide of an OpenDocument presentation."""
    with package(path) as archive:
        content = xml(archive, "content.xml")
        title = _odf_title(archive)
    parts: list[Part] = []
    slides = list(content.iter(f"{_DRAW}page"))
    for number, slide in enumerate(slides, 1):
        texts = [odf_text(p) for p in _outermost(slide, (f"{_TEXT}p", f"{_TEXT}h"))]
        _add_slide(parts, number, texts[0] if texts else "", texts)
    return Extraction(kind="note", parts=parts, title=title, attributes={"pages": len(slides)})


def odf_text(element: Any) -> str:
    """The text of an OpenDocument element; tabs, breaks and runs of spaces are elements there."""
    pieces = []
    for node in element.iter():
        if node.tag in (f"{_TEXT}tab", f"{_TEXT}s"):
            pieces.append(" ")
        elif node.tag in (f"{_TEXT}line-break", f"{_TEXT}p"):
            pieces.append("\n")
        if isinstance(node.tag, str):
            pieces.append(node.text or "")
        if node is not element:
            pieces.append(node.tail or "")
    return "".join(pieces).strip()


def odf_cells(row: Any) -> list[str]:
    """The cells of an OpenDocument table row, repeated ones as often as they count."""
    cells: list[str] = []
    for cell in row:
        if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            repeated = cell.get(f"{_TABLE}number-columns-repeated", "1")
            times = min(int(repeated) if repeated.isdigit() else 1, _SPREAD)
            cells += [odf_text(cell)] * times
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _outermost(root: Any, tags: tuple[str, ...]) -> Iterator[Any]:
    """Elements of these tags in reading order, not those inside another of them."""
    from lxml import etree

    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        if element.tag in tags:
            yield element
            walk.skip_subtree()


def _odf_title(archive: Any) -> str:
    try:
        meta = xml(archive, "meta.xml")
    except (KeyError, ExtractError):
        return ""
    found = meta.find(".//{http://purl.org/dc/elements/1.1/}title")
    return (found.text or "") if found is not None else ""


def extract_rtf(path: Path, options: ExtractOptions) -> Extraction:
    """The text of a Rich Text file."""
    data = path.read_bytes()
    if not data.lstrip().startswith(b"{\\rtf"):
        raise ExtractError("broken", "not Rich Text")
    sections = Sections()
    for paragraph in _rtf(data).split("\n"):
        sections.add(paragraph)
    return _document(sections, "")


def _rtf(data: bytes) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(data.decode("latin-1"), errors="replace"))  # type: ignore[no-untyped-call]


def _document(sections: Sections, title: str) -> Extraction:
    parts = sections.close()
    return Extraction(kind="note", parts=parts, title=title.strip() or sections.title)


def _row(name: str, extensions: str, extract: Any, max_bytes: int = 100_000_000) -> Extractor:
    return Extractor(name, 1, frozenset(extensions.split()), "note", extract, max_bytes)


EXTRACTORS = (
    _row("docx", "docx docm dotx", extract_docx),
    _row("pptx", "pptx pptm ppsx potx", extract_pptx),
    _row("odt", "odt ott", extract_odt),
    _row("odp", "odp otp", extract_odp),
    _row("rtf", "rtf", extract_rtf, 20_000_000),
)
