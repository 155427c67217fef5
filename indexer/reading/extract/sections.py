"""Collects the text of a document in reading order, one part for each heading."""

from __future__ import annotations

from collections.abc import Iterable

from indexer.reading.extract.base import Part

_MAX_HEADING = 200
_SOFT_HYPHEN = "\u00ad"


class Sections:
    """Takes headings and paragraphs as they come and gives parts with their heading path."""

    def __init__(self, page: int | None = None) -> None:
        self._page = page
        self._parts: list[Part] = []
        self._path: list[tuple[int, str]] = []
        self._text: list[str] = []
        self._aside: dict[str, None] = {}
        self.title = ""  # the first heading

    def heading(self, level: int, text: str) -> None:
        """A section begins; its heading is the first line of its text too."""
        text = " ".join(text.replace(_SOFT_HYPHEN, "").split())
        if not text:
            return
        self._flush()
        self._path = [step for step in self._path if step[0] < level]
        self._path.append((level, text[:_MAX_HEADING]))
        self._text.append(text)
        self.title = self.title or text[:_MAX_HEADING]

    def add(self, text: str) -> None:
        """A paragraph of the current section."""
        text = text.replace(_SOFT_HYPHEN, "").strip()
        if text:
            self._text.append(text)

    def row(self, cells: Iterable[str]) -> None:
        """A row of a table."""
        filled = [" ".join(cell.split()) for cell in cells]
        if any(filled):
            self._text.append(" | ".join(filled))

    def aside(self, text: str) -> None:
        """What belongs to no section: a page's header, an author. It comes last, each once."""
        if text.strip():
            self._aside[text.strip()] = None

    def close(self) -> list[Part]:
        """All parts; call it once."""
        self._flush()
        if self._aside:
            self._parts.append(Part("\n".join(self._aside), page=self._page))
        return self._parts

    def _flush(self) -> None:
        if self._text:
            heading = tuple(text for _, text in self._path)
            self._parts.append(Part("\n\n".join(self._text), heading=heading, page=self._page))
        self._text = []
