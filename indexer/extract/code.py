"""Source code: one part a symbol, with its name, path and lines."""

from __future__ import annotations

from pathlib import Path

from indexer.extract.encodings import decode
from indexer.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part

LANGUAGES: dict[str, str] = {
    "py": "python", "js": "javascript", "ts": "typescript", "tsx": "tsx", "rs": "rust", "go": "go",
    "java": "java", "c": "c", "h": "c", "cpp": "cpp", "cs": "csharp", "rb": "ruby", "php": "php",
    "sh": "bash", "sql": "sql", "json": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml",
    "ini": "ini", "xml": "xml", "css": "css",
}  # fmt: skip


def extract(path: Path, options: ExtractOptions) -> Extraction:
    """Symbols of a source file."""
    text = decode(path.read_bytes()).rstrip("\n")
    if not text.strip():
        raise ExtractError("no-text")
    language = LANGUAGES.get(path.suffix[1:].lower())
    part = Part(text, lines=(1, text.count("\n") + 1), language=language)
    return Extraction(kind="code", parts=[part], language=language)


EXTRACTORS = (
    Extractor(
        name="code",
        version=1,
        extensions=frozenset(LANGUAGES),
        kind="code",
        extract=extract,
        max_bytes=5_000_000,
        deadline_s=30,
    ),
)
