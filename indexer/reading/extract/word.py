"""Word documents: everything a reader sees, paragraphs and tables in order, one part a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import Extraction, ExtractOptions, Extractor
from indexer.reading.extract.encodings import decode
from indexer.reading.extract.ooxml import (
    Package,
    attribute,
    chosen,
    drawn_texts,
    local,
    office_package,
)
from indexer.reading.extract.properties import add_told
from indexer.reading.extract.sections import Sections
from indexer.reading.extract.web import html_text

_HEADING_STYLE = re.compile(
    r"(?:heading|überschrift|titre|titolo|título|kop|nagłówek|заголовок)\s*(\d)", re.IGNORECASE
)
#: What was taken out with changes tracked, codes of fields, and properties of anything.
_UNREAD = frozenset({
    "del", "moveFrom", "delText", "delInstrText", "instrText", "rPr", "pPr", "tblPr", "trPr",
    "tcPr", "sdtPr", "sdtEndPr", "sectPr", "tblGrid", "ctrlPr", "rt",
})  # fmt: skip
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes",
          "commentReference": "comments"}  # fmt: skip
_LINES = {"br": "\n", "cr": "\n", "tab": " ", "ptab": " ", "noBreakHyphen": "-"}


def extract_docx(path: Path, options: ExtractOptions) -> Extraction:
    """Text in its order, with notes and comments at the paragraph that they are on; then headers,
    footers and what the properties tell."""
    sections = Sections()
    with office_package(path) as parts:
        main = parts.main("word/document.xml")
        _Document(parts, main).read(sections)
        title, told = parts.properties()
        for row in parts.related(main, "header", "footer"):
            sections.aside(_Story(parts, row.target).text())
    found = sections.close()
    add_told(found, told)
    return Extraction(kind="note", parts=found, title=title.strip() or sections.title)


@dataclass(slots=True)
class _Paragraph:
    """A paragraph as it is being read."""

    pieces: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)  # text boxes, notes, charts: paragraphs of it

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class _Story:
    """One stream of text: the body, a header, the footnotes."""

    def __init__(self, parts: Package, name: str) -> None:
        self._parts, self._name = parts, name
        self._root = parts.root(name)
        self._notes: dict[str, dict[str, str]] = {}

    def text(self) -> str:
        """All of it as lines."""
        return "" if self._root is None else "\n".join(self.lines(self._root))

    def lines(self, holder: Any) -> Iterator[str]:
        """The paragraphs and table rows in an element."""
        for block in self.blocks(holder):
            if local(block) == "tbl":
                for cells in self.rows(block):
                    yield " | ".join(" ".join(cell.split()) for cell in cells)
            elif local(block) == "p":
                paragraph = self.paragraph(block)
                yield from filter(str.strip, (paragraph.text, *paragraph.after))
            else:
                yield self.imported(block)

    def blocks(self, holder: Any) -> Iterator[Any]:
        """Paragraphs, tables and imported texts, whatever holds them."""
        for child in holder:
            name = local(child)
            if name in ("p", "tbl", "altChunk"):
                yield child
            elif name == "AlternateContent":
                if (branch := chosen(child)) is not None:
                    yield from self.blocks(branch)
            elif name and name not in _UNREAD:
                yield from self.blocks(child)

    def rows(self, table: Any) -> Iterator[list[str]]:
        """The rows of a table; those taken out with changes tracked are none."""
        for row in _inside(table, "tr"):
            if row.find("{*}trPr/{*}del") is None:
                yield ["\n".join(self.lines(cell)) for cell in _inside(row, "tc")]

    def imported(self, element: Any) -> str:
        """The text of a page that the document takes in as it is."""
        wanted = attribute(element, "id")
        for row in self._parts.related(self._name, "aFChunk"):
            if row.id == wanted and row.target.lower().endswith(("htm", "html", "xhtml", "mht")):
                return html_text(decode(self._parts.read(row.target)))
        return ""

    def paragraph(self, element: Any) -> _Paragraph:
        """The text of a paragraph, and what hangs on it."""
        found = _Paragraph()
        self._gather(element, found)
        return found

    def _gather(self, holder: Any, found: _Paragraph) -> None:
        for child in holder:
            name = local(child)
            if name == "t":
                found.pieces.append(child.text or "")
            elif name in _LINES:
                found.pieces.append(_LINES[name])
            elif name in _NOTES:
                if note := self._note(_NOTES[name], attribute(child, "id")):
                    found.after.append(note)
            elif name == "txbxContent":
                found.after.extend(self.lines(child))
            elif name == "AlternateContent":
                if (branch := chosen(child)) is not None:
                    self._gather(branch, found)
            elif name == "docPr":
                told = (attribute(child, "title"), attribute(child, "descr"))
                found.after.extend(filter(None, dict.fromkeys(told)))
            elif name in ("chart", "relIds"):
                found.after.extend(drawn_texts(self._parts, self._name, child))
            elif name and name not in _UNREAD:
                found.pieces.append("/" if name == "den" else "")
                self._gather(child, found)

    def _note(self, kind: str, wanted: str) -> str:
        if kind not in self._notes:
            self._notes[kind] = {}
            for row in self._parts.related(self._name, kind):
                story = _Story(self._parts, row.target)
                for note in () if story._root is None else story._root:
                    text = "\n".join(story.lines(note)).strip()
                    self._notes[kind][attribute(note, "id")] = text
        return self._notes[kind].get(wanted, "")


class _Document(_Story):
    """The body, by headings."""

    def read(self, sections: Sections) -> None:
        """Add all of it."""
        styles = self._styles()
        if self._root is None:
            return
        for block in self.blocks(self._root):
            if local(block) == "tbl":
                for cells in self.rows(block):
                    sections.row(cells)
            elif local(block) == "p":
                paragraph = self.paragraph(block)
                if level := _level(block, styles):
                    sections.heading(level, paragraph.text)
                else:
                    sections.add(paragraph.text)
                for text in paragraph.after:
                    sections.add(text)
            else:
                sections.add(self.imported(block))

    def _styles(self) -> dict[str, tuple[str, int]]:
        """By a style's identifier its name, and its outline level (0: none)."""
        styles: dict[str, tuple[str, int]] = {}
        for row in self._parts.related(self._name, "styles"):
            root = self._parts.root(row.target)
            for style in () if root is None else root.iter("{*}style"):
                name, level = style.find("{*}name"), style.find("{*}pPr/{*}outlineLvl")
                said = attribute(level, "val") if level is not None else ""
                styles[attribute(style, "styleId")] = (
                    attribute(name, "val") if name is not None else "",
                    int(said) + 1 if said.isdigit() and int(said) < 9 else 0,
                )
        return styles


def _level(paragraph: Any, styles: dict[str, tuple[str, int]]) -> int:
    style = paragraph.find("{*}pPr/{*}pStyle")
    if style is None:
        return 0
    wanted = attribute(style, "val")
    name, outline = styles.get(wanted, (wanted, 0))
    if name.lower() == "title":
        return 1
    if found := _HEADING_STYLE.match(name):
        return int(found[1]) + 1
    return outline + 1 if outline else 0


def _inside(holder: Any, wanted: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, whatever holds them; none of a table within."""
    for child in holder:
        name = local(child)
        if name == wanted:
            yield child
        elif name and name not in _UNREAD and name not in ("tbl", "p"):
            yield from _inside(child, wanted)


EXTRACTORS = (
    Extractor(
        "docx",
        3,
        frozenset({"docx", "docm", "dotx", "dotm"}),
        "note",
        extract_docx,
        reads="text by heading, tables, insertions, content controls, text boxes, footnotes,"
        " comments, equations, charts, headers and footers; properties; macro, template"
        " and Strict forms",
    ),
)
