"""Text with headings: Markdown, reStructuredText, Org, AsciiDoc, LaTeX, plain text.

Sections keep the file's own lines, so that a hit can point at them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from indexer.reading.extract.base import (
    CHARACTERS,
    ExtractError,
    Extraction,
    ExtractOptions,
    Extractor,
    Part,
)
from indexer.reading.extract.encodings import decode
from indexer.reading.extract.latex import without_accent_commands

#: Level, title and line (0-based) of each heading.
Headings = Iterator[tuple[int, str, int]]

_MAX_BYTES = 200_000_000
#: Of a log that is longer than its budget the end is read, where the newest lines are, and so much
#: of its beginning.
_LOG_HEAD = 0.1
_MAX_HEADING = 300  # longer lines are none; the expressions below backtrack
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FRONT_MATTER = re.compile(r"(?:---|\+\+\+)\n(.*?)\n(?:---|\.\.\.|\+\+\+)(?:\n|$)", re.DOTALL)
_TITLE = re.compile(r"^title\s*[:=]\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE | re.IGNORECASE)
_LINK = re.compile(
    r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])|<[^>]{1,300}>|[*_`]{1,3}(?=\S)|(?<=\S)[*`]{1,3}"
)
_LATEX_TITLE = re.compile(r"\\title(?:\[[^\]]*\])?\{([^{}]{1,300})\}")
_ADORNMENT = re.compile(r"([=\-`:'\"~^_*+#<>.])\1{2,}\s*$")
_ORG = re.compile(r"(\*+) +(?:(?:TODO|DONE) +)?(.+?)(?: +:[\w:@]+:)?$")
_ASCIIDOC = re.compile(r"(={1,6}) +(.+)$")
_LATEX = re.compile(r"\s*\\(part|chapter|section|subsection|subsubsection|paragraph)\*?\{(.+?)\}")
_PAIR = re.compile(r"([A-Za-z_][\w-]*) *[:=](.*)$")
#: Values that say nothing by themselves: a weight, a switch.
_BARE = re.compile(r"(?:[-+]?\d{1,5}(?:\.\d+)?|true|false|yes|no|null|~)?", re.IGNORECASE)
_ITEM = re.compile(r"(?:\s+-? *|- +)(.+)$")
#: Keys of a front matter that say what the page is about.
_TELLING = frozenset({
    "title", "linktitle", "subtitle", "description", "summary", "abstract", "excerpt", "tags",
    "categories", "keywords", "aliases", "author", "authors",
})  # fmt: skip
_LATEX_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph")


def markdown_headings(lines: list[str]) -> Headings:
    """Both kinds of Markdown headings, not those in code blocks or the front matter."""
    fence, skip = "", _front_matter_lines(lines)
    for number, line in enumerate(lines):
        if number < skip:
            continue
        if mark := _FENCE.match(line):
            if not fence:
                fence = mark[1][:3]
            elif mark[1].startswith(fence):
                fence = ""
        elif fence or len(line) > _MAX_HEADING:
            continue
        elif found := _ATX.match(line):
            yield len(found[1]), _plain(found[2]), number
        elif number > skip and (under := _SETEXT.match(line)):
            above = lines[number - 1]
            alone = number < 2 + skip or not lines[number - 2].strip()
            alone = alone and len(above) <= _MAX_HEADING
            if alone and above[:1].strip() and above[:1] not in "#>-*+|`":
                yield (1 if under[1][0] == "=" else 2), _plain(above), number - 1


def _front_matter_lines(lines: list[str]) -> int:
    first = lines[0].rstrip()
    if first not in ("---", "+++"):
        return 0
    marks = ("+++",) if first == "+++" else ("---", "...")
    ends = (n for n, line in enumerate(lines[1:200], 1) if line.rstrip() in marks)
    return next(ends, -1) + 1


def _told(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines with the front matter reduced to what it tells a reader, line by line, and what
    else it says.

    "weight: 60" and "type: docs" would be the first thing an encoder reads of the page.
    """
    end = _front_matter_lines(lines)
    told, others = list(lines), list[str]()
    key = ""
    for number in range(end):
        value = ""
        if pair := _PAIR.match(lines[number]):
            key, value = pair[1].lower(), pair[2]
        elif item := _ITEM.match(lines[number]):
            value = item[1]
        value = value.strip("\"' []|>,")
        told[number] = value if key in _TELLING else ""
        if value and key not in _TELLING and not _BARE.fullmatch(value):
            others.append(f"{key}: {value}")
    return told, others


def _plain(heading: str) -> str:
    """A heading without the marks of emphasis, links and HTML."""
    return " ".join(_LINK.sub(lambda m: m[1] or "", heading).split())


def rst_headings(lines: list[str]) -> Headings:
    """Underlined titles; levels in the order their adornments appear."""
    levels: list[str] = []
    for number in range(1, len(lines)):
        under, title = lines[number].rstrip(), lines[number - 1].rstrip()
        if not _ADORNMENT.match(under) or not title or len(under) < len(title):
            continue
        if title[0].isspace() or _ADORNMENT.match(title):
            continue
        over = number > 1 and lines[number - 2].rstrip() == under
        style = under[0] * (2 if over else 1)
        if style not in levels:
            levels.append(style)
        yield levels.index(style) + 1, title, number - (2 if over else 1)


def org_headings(lines: list[str]) -> Headings:
    """Stars, without keywords and tags."""
    for number, line in enumerate(lines):
        if len(line) <= _MAX_HEADING and (found := _ORG.match(line)):
            yield len(found[1]), found[2], number


def asciidoc_headings(lines: list[str]) -> Headings:
    """Equals signs."""
    for number, line in enumerate(lines):
        if found := _ASCIIDOC.match(line):
            yield len(found[1]), found[2], number


def latex_headings(lines: list[str]) -> Headings:
    """Sectioning commands."""
    for number, line in enumerate(lines):
        if len(line) <= _MAX_HEADING and (found := _LATEX.match(line)):
            yield _LATEX_LEVELS.index(found[1]) + 1, found[2], number


def no_headings(lines: list[str]) -> Headings:
    """Plain text has none that could be told from other lines."""
    return iter(())


def sectioned(
    text: str,
    headings: Callable[[list[str]], Headings],
    characters: int = CHARACTERS,
    *,
    end: bool = False,
) -> Extraction:
    """One part a section, with its heading path and lines; of a text of more characters its
    beginning, or mostly its `end`."""
    pieces, notes = _within(text, characters, end)
    parts: list[Part] = []
    for first, piece in pieces:
        before = len(parts)
        _sections(parts, piece, headings)
        for part in parts[before:]:
            assert part.lines is not None
            part.lines = (part.lines[0] + first, part.lines[1] + first)
    if headings is markdown_headings and pieces:
        lines = pieces[0][1].split("\n")
        if others := _told(lines)[1]:
            parts.append(Part("\n".join(others), lines=(1, _front_matter_lines(lines))))
    front = _FRONT_MATTER.match(text)
    named = _TITLE.search(front[1][:5000]) if front else None
    if named is None and headings is latex_headings:
        named = _LATEX_TITLE.search(text[:20_000])
    first_heading = next((p.heading[0] for p in parts if p.heading and p.heading[0]), "")
    title = named[1] if named else first_heading
    return Extraction(kind="note", parts=parts, title=title, notes=notes)


def _within(text: str, characters: int, end: bool) -> tuple[list[tuple[int, str]], list[str]]:
    """The pieces of a text that are read, each with how many lines stand before it; what is told
    of the others."""
    if len(text) <= characters:
        return [(0, text)], []
    if not end:
        head = text[:characters].rpartition("\n")[0] or text[:characters]
        return [(0, head)], [
            f"Only the first {len(head):,} of {len(text):,} characters are indexed."
        ]
    head = text[: int(characters * _LOG_HEAD)].rpartition("\n")[0]
    tail = text[len(text) - (characters - len(head)) :].partition("\n")[2] or text[-characters:]
    told = (
        f"Of {len(text):,} characters the first {len(head):,} and the last {len(tail):,} "
        "are indexed."
    )
    return [(0, head), (text.count("\n", 0, len(text) - len(tail)), tail)], [told]


def _sections(parts: list[Part], text: str, headings: Callable[[list[str]], Headings]) -> None:
    lines = text.split("\n")
    path: list[tuple[int, str]] = []
    start = 0
    shown = _told(lines)[0] if headings is markdown_headings else lines
    for level, title, number in headings(lines):
        _add(parts, shown, start, number, path)
        path = [*(step for step in path if step[0] < level), (level, title[:200])]
        start = number
    _add(parts, shown, start, len(lines), path)


def _add(
    parts: list[Part], lines: list[str], start: int, end: int, path: list[tuple[int, str]]
) -> None:
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    if start < end:
        heading = tuple(title for _, title in path)
        parts.append(Part("\n".join(lines[start:end]), heading=heading, lines=(start + 1, end)))


def looks_like_text(head: bytes) -> bool:
    """Whether the first bytes of a file without a known name are text."""
    try:
        decode(head)
    except ExtractError:
        return False
    return True


def _row(
    name: str,
    version: int,
    extensions: str,
    headings: Callable[[list[str]], Headings],
    reads: str,
    sniff: Callable[[bytes], bool] | None = None,
) -> Extractor:
    def extract(path: Path, options: ExtractOptions) -> Extraction:
        text = decode(path.read_bytes())
        ending = path.suffix.lower()
        if headings is latex_headings or ending in (".bib", ".bbl"):
            text = without_accent_commands(text)
        log = ending in (".log", ".out", ".err") or ".log." in path.name.lower()
        return sectioned(text, headings, options.characters, end=log)

    known = frozenset(extensions.split())
    return Extractor(name, version, known, "note", extract, _MAX_BYTES, 30, sniff, reads)


EXTRACTORS = (
    _row(
        "markdown",
        2,
        "md markdown mdown mkd mdx qmd rmd",
        markdown_headings,
        "sections, all of the front matter",
    ),
    _row("rst", 2, "rst rest", rst_headings, "sections"),
    _row("org", 2, "org", org_headings, "sections"),
    _row("asciidoc", 2, "adoc asciidoc asc", asciidoc_headings, "sections"),
    _row("latex", 3, "tex latex ltx", latex_headings, "sections, accents as letters"),
    _row(
        "text",
        3,
        "txt text log nfo srt vtt bib bbl out err",
        no_headings,
        "text in any encoding, of long logs the end first; files without a known name"
        " that are text",
        looks_like_text,
    ),
)
