"""Slides: of each its title, shapes in order, tables, charts, diagrams, speaker notes, comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.ooxml import (
    Package,
    attribute,
    chosen,
    drawn_texts,
    local,
    office_package,
    runs_text,
)
from indexer.reading.extract.properties import add_told

_SLIDE_NUMBER = re.compile(r"(\d+)\.xml$")
_TITLES = ("title", "ctrTitle")
#: Placeholders of a notes page that say nothing of the slide.
_NO_NOTES = ("sldImg", "sldNum", "hdr", "ftr", "dt")


def extract_pptx(path: Path, options: ExtractOptions) -> Extraction:
    """One part a slide."""
    with office_package(path) as parts:
        main = parts.main("ppt/presentation.xml")
        slides = _slides(parts, main)
        found: list[Part] = []
        for number, name in enumerate(slides, 1):
            slide = _Slide(parts, name)
            add_slide(found, number, slide.title, slide.texts)
        title, told = parts.properties()
    add_told(found, told)
    return Extraction(kind="note", parts=found, title=title, attributes={"pages": len(slides)})


def add_slide(parts: list[Part], number: int, title: str, texts: Iterable[str]) -> None:
    """A slide's part, unless it says nothing."""
    text = "\n".join(stripped for part in texts if (stripped := part.strip()))
    if text:
        heading = (" ".join(title.split()),) if title.strip() else ()
        parts.append(Part(text, heading=heading, page=number))


def _slides(parts: Package, main: str) -> list[str]:
    """Names of the slides in their order; by number where the presentation does not tell it."""
    targets = {row.id: row.target for row in parts.related(main, "slide")}
    root = parts.root(main)
    listed = [] if root is None else list(root.iter("{*}sldId"))
    #: A slide has two attributes that are called id; the relationship's is in a namespace.
    ids = [next((v for k, v in row.attrib.items() if "}" in k), "") for row in listed]
    named = [targets[wanted] for wanted in ids if wanted in targets]
    if named:
        return named
    loose = [n for n in parts.names("ppt/slides/slide") if _SLIDE_NUMBER.search(n)]
    return sorted(loose, key=lambda name: int(_SLIDE_NUMBER.findall(name)[0]))


class _Slide:
    """What one slide says."""

    def __init__(self, parts: Package, name: str) -> None:
        self._parts, self._name = parts, name
        self.title = ""
        self.texts: list[str] = []
        root = parts.root(name)
        if root is not None:
            for tree in root.iter("{*}spTree"):
                self.texts.extend(self._shapes(tree))
        for row in parts.related(name, "notesSlide"):
            notes = parts.root(row.target)
            for shape in () if notes is None else notes.iter("{*}sp"):
                if _placeholder(shape) not in _NO_NOTES:
                    self.texts.append(_body(shape))
        for row in parts.related(name, "comments"):
            comments = parts.root(row.target)
            if comments is not None:
                self.texts.extend(" ".join(t.text or "") for t in comments.iter("{*}text"))
                self.texts.append(runs_text(comments))

    def _shapes(self, holder: Any) -> Iterator[str]:
        for shape in holder:
            name = local(shape)
            if name == "AlternateContent":
                if (branch := chosen(shape)) is not None:
                    yield from self._shapes(branch)
            elif name == "grpSp":
                yield from self._shapes(shape)
            elif name == "graphicFrame":
                yield from self._graphic(shape)
            elif name in ("sp", "cxnSp", "pic"):
                text = _body(shape)
                if not self.title and _placeholder(shape) in _TITLES:
                    self.title = text
                yield text
                yield _described(shape)

    def _graphic(self, frame: Any) -> Iterator[str]:
        for row in frame.iter("{*}tr"):
            yield " | ".join(" ".join(runs_text(cell).split()) for cell in row.iter("{*}tc"))
        for element in frame.iter("{*}chart", "{*}relIds"):
            yield from drawn_texts(self._parts, self._name, element)
        yield _described(frame)


def _body(shape: Any) -> str:
    return "\n".join(runs_text(body) for body in shape.iter("{*}txBody"))


def _placeholder(shape: Any) -> str:
    found = next(shape.iter("{*}ph"), None)
    return "" if found is None else attribute(found, "type", "body")


def _described(shape: Any) -> str:
    """What stands for it where it can't be seen."""
    found = next(shape.iter("{*}cNvPr"), None)
    return "" if found is None else attribute(found, "descr")


EXTRACTORS = (
    Extractor(
        "pptx",
        3,
        frozenset({"pptx", "pptm", "ppsx", "ppsm", "potx", "potm"}),
        "note",
        extract_pptx,
        reads="titles, text, tables, groups, charts, SmartArt, descriptions, speaker notes,"
        " comments; properties",
    ),
)
