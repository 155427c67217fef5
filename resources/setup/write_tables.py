"""Writes the tables of the README that are made from tables in the code: the filters of a query,
the formats that are read, the models that can be chosen."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from engine.contract.filters import FILTERS
from engine.models.registry import MODELS
from indexer.reading.extract import EXTRACTORS

README = Path(__file__).resolve().parents[2] / "README.md"
_TABLE = re.compile(r"(?<=<!-- filters -->\n).*?(?=<!-- end -->)", re.DOTALL)
_FORMATS = re.compile(r"(?<=<!-- formats -->\n).*?(?=<!-- end -->)", re.DOTALL)
_MODELS = re.compile(r"(?<=<!-- models -->\n).*?(?=<!-- end -->)", re.DOTALL)

_MOST_ENDINGS = 30
WORDS = (
    (
        '"exact phrase"',
        "must occur like this; in a sentence that quotes what no file holds it counts as words,"
        " and Inkling says so",
    ),
    ("-word", "must not occur; `-kind:pdf`: must not be that; `-(a OR b)`: neither"),
    (
        "ext:pdf OR ext:md",
        "one or the other (`\\|` does as well); OR joins what stands right beside it, parentheses"
        " hold more together: `(ext:pdf OR kind:image) invoice`",
    ),
    (
        "invoice OR receipt",
        "each is asked by itself, and a file counts by what it answers best; of more than four the"
        " last are asked together",
    ),
    (
        "screenshots of the login page from last week",
        "dates and kinds in words, in English, German, French and Spanish; shown as a chip, and"
        " words again when that is taken off or they are quoted (`--plain`: all are words)",
    ),
)


def filters_table() -> str:
    """A row a filter, then what else can be typed."""
    rows = [(row.example, row.help) for row in FILTERS.values()] + list(WORDS)
    lines = [
        "| in a query | means |",
        "|---|---|",
        *(f"| `{typed}` | {told} |" for typed, told in rows),
    ]
    return "\n".join(lines) + "\n"


def formats_table() -> str:
    """A row an extractor: how its files end, what is read of them."""
    seen: set[str] = set()
    lines = ["| files | what is read of them |", "|---|---|"]
    for row in EXTRACTORS:  # where two know an extension the first reads it
        endings = sorted(row.extensions - seen)
        seen |= row.extensions
        told = (
            " ".join(endings)
            if len(endings) <= _MOST_ENDINGS
            else f"{len(endings)} endings of source code and data"
        )
        lines.append(f"| {told} | {row.reads} |")
    return "\n".join(lines) + "\n"


def models_table() -> str:
    """A row a model: what it is for, what it takes, what others have published of it."""
    lines = [
        "| model | download | licence | reads | sees | published figures |",
        "|---|---|---|---|---|---|",
    ]
    for row in MODELS.values():
        size = f"{row.download_bytes / 1e9:.1f} GB" if row.download_bytes else "none"
        licence = row.licence if row.commercial_use else f"**{row.licence}**"
        languages = ", ".join(row.languages) or "many languages"
        reads = languages if "text" in row.roles else f"questions ({languages})"
        sees = "pictures and pages" if "sight" in row.roles else "–"
        figures = "; ".join(f"{f.what} {f.value} ({f.source})" for f in row.figures) or "–"
        lines.append(f"| `{row.id}` | {size} | {licence} | {reads} | {sees} | {figures} |")
    return "\n".join(lines) + "\n"


def with_tables(text: str) -> str:
    """The page with its tables as the code has them."""
    text = _TABLE.sub(lambda _: filters_table(), text)
    text = _MODELS.sub(lambda _: models_table(), text)
    return _FORMATS.sub(lambda _: formats_table(), text)


def main() -> None:
    """Write the README again."""
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
