"""Office Open XML packages, forgiving: parts by name whatever its case, Strict ones like others,
relationships to nothing passed over. Elements are told by their local names, which both have."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from indexer.reading.extract.base import ExtractError
from indexer.reading.extract.packages import package
from indexer.reading.extract.properties import told

_NO_TITLES = ("word document", "powerpoint presentation", "powerpoint-präsentation")


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part says of another one: what that is to it, and its name in the package."""

    id: str
    kind: str  # the last word of the type: "header", "notesSlide"
    target: str


class Package:
    """The parts of one opened package."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {name.lower().lstrip("/"): name for name in archive.namelist()}
        self._relations: dict[str, list[Relation]] = {}

    def names(self, beginning: str) -> list[str]:
        """Parts whose names begin so, in lower case."""
        return sorted(name for name in self._names if name.startswith(beginning))

    def has(self, name: str) -> bool:
        return name.lower() in self._names

    def read(self, name: str) -> bytes:
        """The bytes of a part; none of one that is not there or damaged."""
        try:
            return self._archive.read(self._names[name.lower()])
        except (KeyError, zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error):
            return b""

    def root(self, name: str) -> Any | None:
        """The root element of a part, as far as it can be read; None where there is none."""
        return parsed(self.read(name))

    @contextmanager
    def stream(self, name: str) -> Iterator[Any]:
        """A part as a file; an empty one where it is missing."""
        if not self.has(name):
            yield io.BytesIO()
            return
        with self._archive.open(self._names[name.lower()]) as file:
            yield file

    def related(self, name: str, *kinds: str) -> list[Relation]:
        """Parts that this one names as these (all without any) and that are there."""
        if name not in self._relations:
            folder, own = posixpath.split(name)
            root = self.root(posixpath.join(folder, "_rels", f"{own}.rels"))
            found = [] if root is None else list(root.iter("{*}Relationship"))
            rows = [
                Relation(
                    row.get("Id", ""),
                    row.get("Type", "").rpartition("/")[2],
                    _resolved(folder, row.get("Target", "")),
                )
                for row in found
                if row.get("TargetMode") != "External"
            ]
            self._relations[name] = [row for row in rows if self.has(row.target)]
        return [row for row in self._relations[name] if not kinds or row.kind in kinds]

    def main(self, *guesses: str) -> str:
        """The part that is the document; ExtractError where there is none."""
        for row in self.related("", "officeDocument"):
            return row.target
        for guess in guesses:
            if self.has(guess):
                return guess
        raise ExtractError("broken", "the package holds no document")

    def properties(self) -> tuple[str, list[str]]:
        """The title, and what else its properties tell, a line each."""
        rows = self.related("", "core-properties")
        root = self.root(rows[0].target if rows else "docProps/core.xml")
        if root is None:
            return "", []
        said = {local(element): element.text for element in root}
        title = " ".join((said.get("title") or "").split())
        return "" if title.lower() in _NO_TITLES else title, told(said)


@contextmanager
def office_package(path: Path) -> Iterator[Package]:
    """The opened package, its table of contents checked."""
    with package(path) as archive:
        yield Package(archive)


def parsed(data: bytes) -> Any | None:
    """The root element of XML, as far as it can be read; entities stay unexpanded."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        return etree.fromstring(data, parser) if data.strip() else None
    except (etree.XMLSyntaxError, ValueError):
        return None


def local(element: Any) -> str:
    """An element's name without its namespace; "" for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Any, name: str, default: str = "") -> str:
    """An attribute by its local name."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return default


def chosen(element: Any) -> Any | None:
    """Of an AlternateContent what is to be read: the newer form, else the older one."""
    branches = {local(child): child for child in element}
    return branches.get("Choice", branches.get("Fallback"))


def runs_text(element: Any) -> str:
    """The drawing text below an element: paragraphs as lines."""
    lines = []
    for paragraph in element.iter("{*}p"):
        pieces = []
        for node in paragraph.iter():
            name = local(node)
            if name == "t" and attribute(node.getparent(), "type") != "slidenum":
                pieces.append(node.text or "")
            elif name in ("br", "tab"):
                pieces.append("\n" if name == "br" else " ")
        lines.append("".join(pieces))
    return "\n".join(lines)


def drawn_texts(parts: Package, name: str, element: Any | None = None) -> Iterator[str]:
    """The words of charts and diagrams that a part, or one element of it, shows; of each a text of
    lines."""
    wanted = set() if element is None else {*map(str, element.attrib.values())}
    for row in parts.related(name, "chart", "chartEx", "diagramData"):
        root = parts.root(row.target) if element is None or row.id in wanted else None
        if root is not None:
            texts = _diagram_texts(root) if row.kind == "diagramData" else _chart_texts(root)
            if told := "\n".join(dict.fromkeys(filter(None, texts))):
                yield told


def _diagram_texts(root: Any) -> Iterator[str]:
    for point in root.iter("{*}pt"):
        yield runs_text(point).strip()


def _chart_texts(root: Any) -> Iterator[str]:
    """Titles, names of series and categories; no numbers."""
    for element in root.iter():
        name = local(element)
        if name == "v" and local(element.getparent()) == "tx":
            yield " ".join((element.text or "").split())
        elif name in ("rich", "txPr"):
            yield " ".join(runs_text(element).split())
        elif name in ("strCache", "strLit", "strDim"):
            for value in element.iter("{*}v", "{*}pt"):
                yield " ".join((value.text or "").split())


def _resolved(folder: str, target: str) -> str:
    target = unquote(target.replace("\\", "/"))
    if target.startswith("/"):
        return posixpath.normpath(target[1:])
    return posixpath.normpath(posixpath.join(folder, target))
