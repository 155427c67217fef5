"""Who may read a file by a table: patterns as in .gitignore, each with its readers.

For sources whose modes say nothing (shares of other systems, exports). The last pattern that names
a file decides; what none names is read by nobody.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.contract.errors import InklingError
from indexer.archiving.accounts import EVERYONE
from indexer.sources.ignore import Patterns

_PRINCIPAL = re.compile(r"(?:user|group):\S+|(?:uid|gid):\d+|" + EVERYONE)
_HINT = (
    "A line is a pattern as in .gitignore, a tab, and readers with commas between: user:NAME, "
    "group:NAME or everyone. A file whose name ends in .toml says [readers] and "
    '"pattern" = ["group:NAME"].'
)


@dataclass(frozen=True, slots=True)
class _Row:
    place: str  # for complaints
    pattern: str
    readers: frozenset[str]


class ReadersTable:
    """What `--readers FILE` says."""

    def __init__(self, path: Path, folders: Sequence[str]) -> None:
        """`folders`: the sources; a pattern with a slash begins in one of them. InklingError where
        the table can't be read or a line makes no sense."""
        rows = list(_rows(path))
        self._readers = [row.readers for row in rows]
        lines = [row.pattern for row in rows]
        self._below = [(folder, Patterns(lines, str(path), folder)) for folder in folders]
        if not rows:
            raise InklingError(
                "{path} names no readers.", hint=_HINT, path=str(path), told={"path": path}
            )

    def of(self, path: str) -> frozenset[str]:
        """The readers of a file."""
        around = [entry for entry in self._below if path.startswith(entry[0].rstrip(os.sep) + "/")]
        if not around:
            return frozenset()
        folder, patterns = max(around, key=lambda entry: len(entry[0]))
        best, current = -1, folder
        for name in os.path.relpath(path, folder).split(os.sep):
            inner = os.path.join(current, name)
            best = max(best, patterns.match(current, name, inner != path))
            current = inner
        return self._readers[best] if best >= 0 else frozenset()


def _rows(path: Path) -> Iterator[_Row]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InklingError(
            "The table of readers {path} can't be read: {error}.",
            hint="Give a text file in UTF-8 that you may read.",
            path=str(path),
            told={"path": path, "error": getattr(error, "strerror", None) or error},
        ) from error
    for place, pattern, readers in _toml(path, text) if path.suffix == ".toml" else _lines(text):
        # A comment or a "!" means something else in .gitignore; here each line says who may read.
        if not pattern or pattern.startswith("!") or not Patterns([pattern], ""):
            raise _wrong(path, place, f"“{pattern}” is no pattern")
        if not isinstance(readers, list) or not all(isinstance(one, str) for one in readers):
            raise _wrong(path, place, "the readers are no list of texts")
        for reader in readers:
            if not _PRINCIPAL.fullmatch(reader):
                raise _wrong(path, place, f"“{reader}” is no reader")
        yield _Row(place, pattern, frozenset(readers))


def _lines(text: str) -> Iterator[tuple[str, str, object]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, readers = line.partition("\t")
        named = [one.strip() for one in readers.split(",") if one.strip()]
        yield f"line {number}", pattern.strip(), named


def _toml(path: Path, text: str) -> Iterator[tuple[str, str, object]]:
    try:
        table = tomllib.loads(text).get("readers", {})
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, "it", str(error)) from error
    if not isinstance(table, dict):
        raise _wrong(path, "“readers”", "it is no table")
    for pattern, readers in table.items():
        yield f"“{pattern}”", pattern, readers


def _wrong(path: Path, place: str, what: str) -> InklingError:
    told = {"path": path, "place": place, "what": what}
    return InklingError(
        "The table of readers {path} makes no sense in {place}: {what}.",
        hint=_HINT,
        path=str(path),
        told=told,
    )
