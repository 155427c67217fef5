"""OpenDocument: texts by headings, slides by page, sheets by row, all in the document's order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.ooxml import parsed
from indexer.reading.extract.packages import package, xml
from indexer.reading.extract.properties import add_told, told
from indexer.reading.extract.rows import spreadsheet
from indexer.reading.extract.sections import Sections
from indexer.reading.extract.slides import add_slide

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE, _DRAW = (f"{{{_OFFICE}{name}:1.0}}" for name in ("text", "table", "drawing"))
_HEADING, _PARAGRAPH, _ROW = f"{_TEXT}h", f"{_TEXT}p", f"{_TABLE}table-row"
_SVG = f"{{{_OFFICE}svg-compatible:1.0}}"
_NUMBERED = re.compile(r"\D{1,12}\d+")  # as programs name pages
_SPREAD = 200  # a repeated empty cell stands for up to sixteen thousand
#: What was deleted with changes tracked, how Japanese is read aloud, the number of a page.
_UNREAD = (f"{_TEXT}tracked-changes", f"{_TEXT}ruby-text", f"{_TEXT}page-number")
#: What holds paragraphs of its own inside a paragraph: notes, comments, text boxes.
_HOLDERS = (f"{_TEXT}note", f"{{{_OFFICE}office:1.0}}annotation", f"{_DRAW}text-box")
_AROUND = ("header", "footer", "header-left", "footer-left", "header-first", "footer-first")


def extract_odt(path: Path, options: ExtractOptions) -> Extraction:
    """Headings, paragraphs and tables; then the pages' headers and footers."""
    sections = Sections()
    content, styles, (title, others) = _opened(path)
    for element in _outermost(content, (_HEADING, _PARAGRAPH, _ROW)):
        if element.tag == _HEADING:
            level = element.get(f"{_TEXT}outline-level", "1")
            sections.heading(int(level) if level.isdigit() else 1, odf_text(element))
        elif element.tag == _ROW:
            sections.row(odf_cells(element))
        else:
            sections.add(odf_text(element))
    for name in _AROUND:
        for around in () if styles is None else styles.iter(f"{{{_OFFICE}style:1.0}}{name}"):
            sections.aside("\n".join(map(odf_text, _outermost(around, (_PARAGRAPH, _HEADING)))))
    parts = sections.close()
    add_told(parts, others)
    return Extraction(kind="note", parts=parts, title=title.strip() or sections.title)


def extract_odp(path: Path, options: ExtractOptions) -> Extraction:
    """One part a slide."""
    content, _, (title, others) = _opened(path)
    parts: list[Part] = []
    slides = list(content.iter(f"{_DRAW}page"))
    for number, slide in enumerate(slides, 1):
        texts = [odf_text(p) for p in _outermost(slide, (_PARAGRAPH, _HEADING))]
        name = slide.get(f"{_DRAW}name", "")
        texts += [name] if name and not _NUMBERED.fullmatch(name) else []
        add_slide(parts, number, texts[0] if texts else "", texts)
    add_told(parts, others)
    return Extraction(kind="note", parts=parts, title=title, attributes={"pages": len(slides)})


def extract_ods(path: Path, options: ExtractOptions) -> Extraction:
    """One part a sheet, one line a row."""
    content, _, (title, others) = _opened(path)
    sheets = [
        (table.get(f"{_TABLE}name", ""), _sheet(table)) for table in content.iter(f"{_TABLE}table")
    ]
    extraction = spreadsheet(sheets, title, options.characters)
    add_told(extraction.parts, others)
    if names := [row.get(f"{_TABLE}name", "") for row in content.iter(f"{_TABLE}named-range")]:
        extraction.parts.append(Part("\n".join(names)))
    return extraction


def _sheet(table: Any) -> Iterator[list[str]]:
    for row in table.iter(_ROW):
        yield odf_cells(row)
    for shapes in table.iter(f"{_TABLE}shapes"):
        for paragraph in _outermost(shapes, (_PARAGRAPH,)):
            yield [odf_text(paragraph)]


def odf_text(element: Any) -> str:
    """The text of an element in its order; tabs, breaks and runs of spaces are elements there, and
    notes, comments and text boxes stand below it."""
    pieces: list[str] = []
    below: list[str] = []
    _gather(element, pieces, below)
    text = re.sub(r" {2,}", " ", "".join(pieces)).strip()
    return "\n".join(filter(None, (text, *below)))


def _gather(element: Any, pieces: list[str], below: list[str]) -> None:
    pieces.append(element.text or "")
    for child in element:
        tag = child.tag
        if tag in (f"{_TEXT}tab", f"{_TEXT}s"):
            pieces.append(" ")
        elif tag == f"{_TEXT}line-break":
            pieces.append("\n")
        elif tag in _HOLDERS:
            below += map(odf_text, _outermost(child, (_PARAGRAPH, _HEADING)))
        elif tag in (f"{_SVG}title", f"{_SVG}desc"):
            below.append(" ".join((child.text or "").split()))
        elif isinstance(tag, str) and tag not in _UNREAD:
            if tag in (_PARAGRAPH, _HEADING):
                pieces.append("\n")
            _gather(child, pieces, below)
            if tag in (_PARAGRAPH, _HEADING):
                pieces.append("\n")
        pieces.append(child.tail or "")


def odf_cells(row: Any) -> list[str]:
    """The cells of a table row, repeated ones as often as they count."""
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
        elif element.tag in _UNREAD:
            walk.skip_subtree()


def _opened(path: Path) -> tuple[Any, Any | None, tuple[str, list[str]]]:
    """Contents, styles and properties: of a package, or of one file of XML that has them all."""
    with path.open("rb") as file:
        flat = b"<" in file.read(8)
    if not flat:
        with package(path) as archive:
            told_of_it = _properties(_optional(archive, "meta.xml"))
            return xml(archive, "content.xml"), _optional(archive, "styles.xml"), told_of_it
    root = parsed(path.read_bytes())
    body, meta = (
        None if root is None else root.find(f"{{{_OFFICE}office:1.0}}{name}")
        for name in ("body", "meta")
    )
    if body is None:
        raise ExtractError("broken", "no document in it")
    return body, root, _properties(meta)


def _optional(archive: Any, name: str) -> Any | None:
    try:
        return xml(archive, name)
    except (KeyError, ExtractError):
        return None


def _properties(meta: Any | None) -> tuple[str, list[str]]:
    """The title, and what else is told of the document, a line each."""
    if meta is None:
        return "", []
    said: dict[str, list[str]] = {}
    for element in meta.iter():
        if isinstance(element.tag, str) and (text := " ".join((element.text or "").split())):
            said.setdefault(element.tag.rpartition("}")[2], []).append(text)
    return said.get("title", [""])[0], told({name: ", ".join(all) for name, all in said.items()})


def _row(name: str, extensions: str, extract: Any, reads: str) -> Extractor:
    return Extractor(name, 4, frozenset(extensions.split()), "note", extract, reads=reads)


EXTRACTORS = (
    _row(
        "odt",
        "odt ott odm fodt",
        extract_odt,
        "text by heading, tables, notes, comments, text boxes, headers and footers; properties",
    ),
    _row(
        "odp", "odp otp odg otg fodp fodg", extract_odp, "slides and drawings by page; properties"
    ),
    _row("ods", "ods ots fods", extract_ods, "every cell, shapes; properties"),
)
