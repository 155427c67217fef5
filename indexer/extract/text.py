"""Plain text: notes, logs, data and configuration files, read as they stand."""

from __future__ import annotations

from pathlib import Path

from indexer.extract.encodings import decode
from indexer.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part

MAX_BYTES = 20_000_000


def extract(path: Path, options: ExtractOptions) -> Extraction:
    """The whole text as one part; chunking cuts it at paragraphs."""
    text = decode(path.read_bytes())
    if not text.strip():
        raise ExtractError("no-text")
    last = text.rstrip("\n").count("\n") + 1
    return Extraction(kind="note", parts=[Part(text.rstrip("\n"), lines=(1, last))])


def looks_like_text(head: bytes) -> bool:
    """Whether the first bytes of a file without a known name read as text."""
    try:
        decode(head[: len(head) & ~3] if len(head) >= 4096 else head)
    except ExtractError:
        return False
    return True


EXTRACTORS = (
    Extractor(
        name="text",
        version=1,
        extensions=frozenset(
            ("txt", "text", "log", "tex", "rst", "org", "asc", "nfo", "srt", "vtt", "bib", "adoc")
        ),
        kind="note",
        extract=extract,
        max_bytes=MAX_BYTES,
        deadline_s=30,
        sniff=looks_like_text,
    ),
)
