"""Rich Text files."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor
from indexer.reading.extract.sections import Sections

#: What the library leaves out and a reader sees: notes and comments where they stand, what is above
#: and below the pages.
_NOTE = re.compile(r"\{(?:\\\*)?\\(?:footnote|annotation)(?![a-z])")
_BESIDE = re.compile(r"\{\\(?:header|footer)[lrf]?(?![a-z])")
_TITLE = re.compile(r"\{\\title ([^{}]{1,500})\}")


def extract_rtf(path: Path, options: ExtractOptions) -> Extraction:
    """The text, paragraph by paragraph."""
    data = path.read_bytes()
    if not is_rtf(data[:200]):
        raise ExtractError("broken", "not Rich Text")
    sections = Sections()
    for paragraph in rtf_text(data).split("\n"):
        sections.add(paragraph)
    said = _TITLE.search(data.decode("latin-1"))
    title = rtf_text(f"{{\\rtf1 {said[1]}}}".encode("latin-1")).strip() if said else ""
    return Extraction(kind="note", parts=sections.close(), title=title or sections.title)


def is_rtf(head: bytes) -> bool:
    """Whether a file begins as Rich Text does, whatever it is called."""
    return head.lstrip().startswith(b"{\\rtf")


def rtf_text(data: bytes) -> str:
    """The text of Rich Text."""
    from striprtf.striprtf import rtf_to_text

    text = _BESIDE.sub(r"{\\par ", _NOTE.sub("{ ", data.decode("latin-1")))
    return str(rtf_to_text(text, errors="replace"))  # type: ignore[no-untyped-call]


EXTRACTORS = (
    Extractor(
        "rtf",
        3,
        frozenset({"rtf"}),
        "note",
        extract_rtf,
        20_000_000,
        sniff=is_rtf,
        reads="text, notes, comments, headers and footers",
    ),
)
