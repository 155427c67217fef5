"""Markdown and its relatives: sections with their heading path."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.extract.encodings import decode
from indexer.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)")


def extract_markdown(path: Path, options: ExtractOptions) -> Extraction:
    """One part a section, headings outermost first."""
    lines = decode(path.read_bytes()).split("\n")
    parts: list[Part] = []
    heading: list[tuple[int, str]] = []
    start, fence, title = 0, "", ""

    def close(end: int) -> None:
        text = "\n".join(lines[start:end])
        if text.strip():
            parts.append(
                Part(
                    text.rstrip(),
                    heading=tuple(h for _, h in heading),
                    lines=(start + 1, start + text.rstrip().count("\n") + 1),
                )
            )

    for number, line in enumerate(lines):
        if mark := _FENCE.match(line):
            fence = "" if fence and line.strip().startswith(fence) else fence or mark[1]
        elif not fence and (found := _HEADING.match(line)):
            close(number)
            start, level = number, len(found[1])
            heading = [h for h in heading if h[0] < level] + [(level, found[2])]
            title = title or found[2]
    close(len(lines))
    if not parts:
        raise ExtractError("no-text")
    return Extraction(kind="note", parts=parts, title=title)


EXTRACTORS = (
    Extractor(
        name="markdown",
        version=1,
        extensions=frozenset(["md", "markdown", "mdown", "mkd", "mdx", "qmd", "rmd"]),
        kind="note",
        extract=extract_markdown,
        max_bytes=20_000_000,
        deadline_s=30,
    ),
)
