"""The ledger's table of what scans did not enter, by the rule that said so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from indexer.ledger.records import below
from indexer.ledger.tables import Tables


class LeftOut(NamedTuple):
    """Why an entry of a folder was not entered."""

    code: str  # of engine.contract.left_out
    rule: str  # the pattern, "" where it is none
    source: str  # the file and line it stands in, or what the system said
    folder: bool  # one that was not walked: what lies in it is not counted


@dataclass(frozen=True, slots=True)
class LeftOutCount:
    """How much one rule leaves out, wherever it stands."""

    code: str
    rule: str
    source: str  # one of the places where it stands
    files: int
    folders: int


class LeftOutEntries(Tables):
    """Notes what a scan met and left out."""

    def left_out_known(self, root_id: int, folder: bytes | None = None) -> dict[bytes, LeftOut]:
        """By path what is on record of a root, or of a folder in it and all below."""
        where, values = "root_id = ?", list[Any]([root_id])
        if folder is not None:
            where += " AND (path = ? OR path >= ? AND path < ?)"
            values += [folder, *below(folder)]
        rows = self._all(
            f"SELECT path, code, rule, source, folder FROM left_out WHERE {where}", values
        )
        return {row[0]: _entry(row) for row in rows}

    def note_left_out(
        self, root_id: int, met: Sequence[tuple[bytes, LeftOut]], gone: Iterable[bytes]
    ) -> None:
        """Note new ones and others' new rules; forget what is gone, or let in now."""
        with self.database.write() as connection:
            connection.executemany("DELETE FROM left_out WHERE path = ?", [(p,) for p in gone])
            connection.executemany(
                "INSERT OR REPLACE INTO left_out (path, root_id, code, rule, source, folder)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (path, root_id, *(_text(value) for value in entry[:3]), entry.folder)
                    for path, entry in met
                ],
            )

    def forget_left_out(self, path: str) -> None:
        """Of an entry and all below it nothing is on record."""
        with self.database.write() as connection:
            connection.execute(
                "DELETE FROM left_out WHERE path = ? OR path >= ? AND path < ?",
                (os.fsencode(path), *below(os.fsencode(path))),
            )

    def left_out_counts(self) -> list[LeftOutCount]:
        """By rule, those that leave out most first."""
        rows = self._all(
            "SELECT code, rule, min(source), count(*) - sum(folder), sum(folder) FROM left_out"
            " GROUP BY code, rule ORDER BY count(*) DESC, rule"
        )
        return [LeftOutCount(*row) for row in rows]

    def left_out(
        self, code: str | None = None, rule: str | None = None, limit: int | None = None
    ) -> list[tuple[str, LeftOut]]:
        """What is left out by a kind of rule, by one rule, or at all, with its path."""
        chosen = {"code = ?": code, "rule = ?": None if rule is None else _text(rule)}
        given = {where: value for where, value in chosen.items() if value is not None}
        rows = self._all(
            "SELECT path, code, rule, source, folder FROM left_out"
            f" WHERE {' AND '.join(given) or '1'} ORDER BY path LIMIT ?",
            [*given.values(), -1 if limit is None else limit],
        )
        return [(os.fsdecode(row[0]), _entry(row)) for row in rows]


def _entry(row: Sequence[Any]) -> LeftOut:
    return LeftOut(row[1], row[2], row[3], bool(row[4]))


def _text(value: str) -> str:
    """As SQLite can keep it: a rule or a path may hold bytes that are no text."""
    return value.encode("utf-8", "backslashreplace").decode()
