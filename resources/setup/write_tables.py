"""Writes the tables of the README that are made from tables in the code: the filters of a query."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from engine.contract.filters import FILTERS

README = Path(__file__).resolve().parents[2] / "README.md"
_TABLE = re.compile(r"(?<=<!-- filters -->\n).*?(?=<!-- end -->)", re.DOTALL)

WORDS = (
    (
        '"exact phrase"',
        "must occur like this; in a sentence that quotes what no file holds it counts as words,"
        " and Inkling says so",
    ),
    ("-word", "must not occur; `-kind:pdf`: must not be that"),
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


def with_tables(text: str) -> str:
    """The page with its tables as the code has them."""
    return _TABLE.sub(lambda _: filters_table(), text)


def main() -> None:
    """Write the README again."""
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
