"""Rich Text files."""

from __future__ import annotations

from pathlib import Path

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor
from indexer.reading.extract.sections import Sections


def extract_rtf(path: Path, options: ExtractOptions) -> Extraction:
    """The text, paragraph by paragraph."""
    data = path.read_bytes()
    if not is_rtf(data[:200]):
        raise ExtractError("broken", "not Rich Text")
    sections = Sections()
    for paragraph in rtf_text(data).split("\n"):
        sections.add(paragraph)
    return Extraction(kind="note", parts=sections.close(), title=sections.title)


def is_rtf(head: bytes) -> bool:
    """Whether a file begins as Rich Text does, whatever it is called."""
    return head.lstrip().startswith(b"{\\rtf")


def rtf_text(data: bytes) -> str:
    """The text of Rich Text."""
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(data.decode("latin-1"), errors="replace"))  # type: ignore[no-untyped-call]


EXTRACTORS = (
    Extractor(
        "rtf", 2, frozenset({"rtf"}), "note", extract_rtf, 20_000_000, sniff=is_rtf, reads="text"
    ),
)
