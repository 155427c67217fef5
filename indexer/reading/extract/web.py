"""HTML pages and electronic books: sections by heading, without scripts and styling."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor
from indexer.reading.extract.encodings import decode
from indexer.reading.extract.ooxml import local
from indexer.reading.extract.packages import package, xml
from indexer.reading.extract.properties import add_told, told
from indexer.reading.extract.sections import Sections

_SKIPPED = frozenset({"script", "style", "head", "canvas", "iframe"})
#: What a head says of its page, by the names that it goes by.
_TOLD = frozenset({"description", "og:description", "twitter:description", "keywords", "author",
                   "og:title", "dc.creator", "dc.description"})  # fmt: skip
#: Inputs whose value a person sees.
_VISIBLE_INPUTS = frozenset({"", "text", "search", "email", "tel", "url", "number", "submit",
                             "button"})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "li", "main", "nav",
    "ol", "option", "p", "pre", "section", "summary", "table", "title", "tr", "ul", "textarea",
    "text", "desc", "foreignobject", "svg", "noscript",
})  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PAGE = "application/xhtml+xml"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_HIDDEN = re.compile("[\u00ad\u200b\u2060\ufeff]")  # soft hyphens and the like: in words, unseen
_SPACE = re.compile(r"[ \t\n\f\xa0]+")


def extract_html(path: Path, options: ExtractOptions) -> Extraction:
    """The page's text by headings; its title."""
    sections = Sections()
    title = add_page(sections, decode(path.read_bytes()), told=True)
    return Extraction(kind="note", parts=sections.close(), title=title or sections.title)


def html_text(markup: str) -> str:
    """The text of a piece of HTML."""
    sections = Sections()
    add_page(sections, markup)
    return "\n\n".join(part.text for part in sections.close())


def page_title(markup: str) -> str:
    """The title of a page."""
    return add_page(Sections(), markup)


def add_page(sections: Sections, markup: str, *, told: bool = False) -> str:
    """Add a page's text to the sections, and if wished what its head tells of it; its title."""
    from lxml import etree, html

    # lxml refuses text with an encoding declaration, and NUL ends a C string.
    markup = _DECLARATION.sub("", markup).replace("\0", "")
    try:
        page = html.document_fromstring(markup, parser=html.HTMLParser(huge_tree=True))
    except (etree.ParserError, etree.XMLSyntaxError):
        return ""
    found = page.find("./head/title")
    found = page.find(".//title") if found is None else found
    _add_text(sections, page)
    for meta in page.iterfind("./head/meta") if told else ():
        name = meta.get("name") or meta.get("property") or ""
        if name.lower() in _TOLD:
            sections.aside(meta.get("content") or "")
    return _SPACE.sub(" ", "".join(map(str, found.itertext()))).strip() if found is not None else ""


def _add_text(sections: Sections, page: Any) -> None:
    """Walk the tree without recursion: it may be as deep as the parser allows."""
    from lxml import etree

    pieces: list[str] = []
    verbatim = 0  # how many <pre> are open

    def take(text: str | None) -> None:
        text = _HIDDEN.sub("", text or "")
        pieces.append(text if verbatim else _SPACE.sub(" ", text))

    def flush(level: int = 0) -> None:
        text = "".join(pieces).strip(" |")
        pieces.clear()
        sections.heading(level, text) if level else sections.add(text)

    walk = etree.iterwalk(page, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        tag = element.tag
        border = tag in _BLOCKS or tag in _HEADINGS
        if event == "start":
            if tag in _SKIPPED:
                walk.skip_subtree()
                continue
            if border:
                flush()
            verbatim += tag == "pre"
            pieces.append("\n" if tag == "br" else "")
            pieces.append(_stands_for(element))
            take(element.text)
            continue
        if event == "end":
            if border:
                flush(_HEADINGS.get(tag, 0))
            verbatim -= tag == "pre"
            pieces.append(" | " if tag in ("td", "th") else "")
        take(element.tail)
    flush()


def _stands_for(element: Any) -> str:
    """What a person sees of an element beside its text: a description, what is filled in."""
    told = ""
    if element.tag in ("img", "area"):
        told = element.get("alt") or element.get("title") or ""
    elif element.tag in ("abbr", "dfn"):
        told = element.get("title") or ""
    elif element.tag == "input" and (element.get("type") or "").lower() in _VISIBLE_INPUTS:
        told = element.get("value") or element.get("placeholder") or ""
    return f" {told} " if told else ""


def extract_epub(path: Path, options: ExtractOptions) -> Extraction:
    """The chapters of a book in the order of its spine."""
    sections = Sections()
    with package(path) as archive:
        container = xml(archive, "META-INF/container.xml")
        root = container.find(".//{*}rootfile").get("full-path")
        book = xml(archive, root)
        if "META-INF/rights.xml" in archive.namelist():
            raise ExtractError("encrypted", "copy protection")
        files = {item.get("id"): item.get("href") for item in book.iterfind(".//{*}item")}
        spine = [item.get("idref") for item in book.iterfind(".//{*}itemref")]
        pages = [
            item.get("id")
            for item in book.iterfind(".//{*}item")
            if (item.get("media-type") or _PAGE) == _PAGE and item.get("properties") != "nav"
        ]
        for wanted in dict.fromkeys([*spine, *pages]):
            href = files.get(wanted)
            name = posixpath.normpath(posixpath.join(posixpath.dirname(root), unquote(href or "")))
            if href and name in archive.NameToInfo:
                add_page(sections, decode(archive.read(name)))
    said: dict[str, list[str]] = {}
    for element in book.iterfind(".//{http://purl.org/dc/elements/1.1/}*"):
        said.setdefault(local(element), []).append(html_text(element.text or " "))
    said["keywords"] = said.pop("subject", [])
    parts = sections.close()
    add_told(parts, told({name: ", ".join(values) for name, values in said.items()}))
    return Extraction(kind="note", parts=parts, title=said.get("title", [""])[0] or sections.title)


def extract_enex(path: Path, options: ExtractOptions) -> Extraction:
    """The notes of an Evernote export, each under its title."""
    from lxml import etree

    sections = Sections()
    try:
        for _, note in etree.iterparse(
            path, tag="note", recover=True, huge_tree=True, resolve_entities=False, no_network=True
        ):
            sections.heading(1, note.findtext("title") or "")
            if tags := [tag.text for tag in note.iterfind("tag") if tag.text]:
                sections.add(", ".join(tags))
            if content := note.findtext("content"):
                sections.add(html_text(content))
            for name in note.iterfind(".//file-name"):
                sections.add(name.text or "")
            note.clear()
    except etree.XMLSyntaxError as error:
        raise ExtractError("broken", str(error)) from error
    parts = sections.close()
    title = sections.title if len({part.heading for part in parts}) == 1 else ""
    return Extraction(kind="note", parts=parts, title=title)


def looks_like_html(head: bytes) -> bool:
    """Whether a file without a known name starts as a page does."""
    return re.match(rb"\s*<(!doctype html|html)\b", head, re.IGNORECASE) is not None


EXTRACTORS = (
    Extractor(
        name="html",
        reads="text by heading, descriptions of pictures, what is filled in, labels of"
        " drawings, what"
        " the head tells",
        version=3,
        extensions=frozenset({"html", "htm", "xhtml", "shtml", "xht"}),
        kind="note",
        extract=extract_html,
        max_bytes=20_000_000,
        processor_s=30,
        sniff=looks_like_html,
    ),
    Extractor(
        "enex",
        1,
        frozenset({"enex"}),
        "note",
        extract_enex,
        500_000_000,
        reads="every note, its title and tags",
    ),
    Extractor(
        "epub",
        3,
        frozenset({"epub"}),
        "note",
        extract_epub,
        reads="chapters in the order of the book, then pages beside it; properties",
    ),
)
