"""What is known of terms by class of rights: how many units hold each, in SQLite beside points.

Numbers of units, words and holders add up over classes, so that those of any asker are sums over
the classes they may read: exact, and of nothing else. They are derived from the points and can be
counted anew.

A change is counted before the points are written, and stands in `unsettled` until they are safely
on disk: where that did not come to pass, those files are counted again from the points there are.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from engine.contract.errors import InklingError
from engine.store.vocabulary import Vocabulary, is_word

_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS classes (rights INTEGER PRIMARY KEY, units INTEGER, words INTEGER);
CREATE TABLE IF NOT EXISTS terms (
    term TEXT, rights INTEGER, units INTEGER, PRIMARY KEY (term, rights)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unsettled (file_id INTEGER PRIMARY KEY, counted BLOB);
"""
#: Words that came since the vocabulary was put in order, before that is done again.
_FRESH = 20_000

#: Classes of rights; None: all of them.
Rights = frozenset[int] | None


@dataclass(slots=True)
class Counted:
    """What some units add."""

    rights: int
    units: int = 0
    words: int = 0
    holders: Counter[str] = field(default_factory=Counter)

    def add(self, terms: str) -> None:
        """One more unit, by its terms set in spaces."""
        held = terms.split()
        self.units += 1
        self.words += len(held)
        self.holders.update(set(held))

    def to_bytes(self) -> bytes:
        told = [self.rights, self.units, self.words, dict(self.holders)]
        return zlib.compress(json.dumps(told).encode(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Counted:
        rights, units, words, holders = json.loads(zlib.decompress(data))
        return cls(rights, units, words, Counter(holders))


class Statistics:
    """The numbers of one collection; reads from any thread, writes from one."""

    def __init__(self, path: Path | None) -> None:
        """`path` None: in memory."""
        self._lock = threading.RLock()
        with _told():
            self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
            if path is not None:
                path.chmod(0o600)
                self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLES)
            self._db.commit()
        self._words = _Words(term for (term,) in self._all("SELECT DISTINCT term FROM terms"))

    def about(self, key: str) -> int | None:
        """A number that is kept beside."""
        found = self._all("SELECT value FROM about WHERE key = ?", key)
        return found[0][0] if found else None

    def note(self, key: str, value: int) -> None:
        """Keep it."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))

    @property
    def is_whole(self) -> bool:
        """Whether they were counted to the end, in the form of this version."""
        return self.about("version") == _VERSION

    def whole(self) -> None:
        """They are."""
        self.note("version", _VERSION)

    def clear(self) -> None:
        """Know nothing."""
        with self._writing() as db:
            for table in ("about", "classes", "terms", "unsettled"):
                db.execute(f"DELETE FROM {table}")
        self._words = _Words()

    def change(
        self, gone: Iterable[Counted], come: Iterable[Counted], files: Mapping[int, Counted | None]
    ) -> None:
        """Take away and add; these files are unsettled now and count so much."""
        added = list(come)
        with self._writing() as db:
            self._add(db, gone, -1)
            self._add(db, added, 1)
            rows = [(i, None if c is None else c.to_bytes()) for i, c in files.items()]
            db.executemany("INSERT OR REPLACE INTO unsettled VALUES (?, ?)", rows)
        for some in added:
            self._words.add(some.holders)

    def unsettled(self) -> dict[int, Counted | None]:
        """What files count whose points may not be on disk yet."""
        rows = self._all("SELECT file_id, counted FROM unsettled")
        return {i: None if data is None else Counted.from_bytes(data) for i, data in rows}

    def unsettled_of(self, files: Sequence[int]) -> dict[int, Counted | None]:
        """Of these files those that are unsettled, with what they count."""
        rows = self._all(
            "SELECT file_id, counted FROM unsettled"
            " WHERE file_id IN (SELECT value FROM json_each(?))",
            json.dumps(list(files)),
        )
        return {i: None if data is None else Counted.from_bytes(data) for i, data in rows}

    def settle(self) -> None:
        """All points are on disk."""
        with self._writing() as db:
            db.execute("DELETE FROM unsettled")

    @staticmethod
    def _add(db: sqlite3.Connection, counted: Iterable[Counted], sign: int) -> None:
        """Add to all numbers."""
        by_class: dict[int, Counted] = {}
        for some in counted:
            total = by_class.setdefault(some.rights, Counted(some.rights))
            total.units += some.units
            total.words += some.words
            total.holders.update(some.holders)
        for rights, total in by_class.items():
            db.execute(
                "INSERT INTO classes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " units = units + excluded.units, words = words + excluded.words",
                (rights, sign * total.units, sign * total.words),
            )
            rows = sorted((term, rights, sign * n) for term, n in total.holders.items())
            db.executemany(
                "INSERT INTO terms VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " units = units + excluded.units",
                rows,
            )
            if sign < 0:
                keys = [(term, rights) for term, _, _ in rows]
                db.executemany(
                    "DELETE FROM terms WHERE term = ? AND rights = ? AND units <= 0", keys
                )
                db.execute("DELETE FROM classes WHERE rights = ? AND units <= 0", (rights,))

    def totals(self, rights: Rights) -> tuple[int, int]:
        """How many units these classes have, and words."""
        where, values = _among(rights)
        asked = f"SELECT TOTAL(units), TOTAL(words) FROM classes {where}"
        ((units, words),) = self._all(asked, *values)
        return int(units), int(words)

    def held(self, terms: Sequence[str], rights: Rights) -> dict[str, int]:
        """How many units of these classes hold each term; those that none holds are left out."""
        where, values = _among(rights, "AND")
        found = self._all(
            "SELECT term, SUM(units) FROM terms WHERE term IN (SELECT value FROM json_each(?))"
            f" {where} GROUP BY term",
            json.dumps(list(terms)),
            *values,
        )
        known = dict(found)
        return {term: known[term] for term in dict.fromkeys(terms) if term in known}

    def near(self, word: str, errors: int, rights: Rights) -> list[str]:
        """Words that so many typing errors or fewer lead to, which these classes hold."""
        parts = self._words.parts()
        found = sorted(set(chain.from_iterable(words.near(word, errors) for words in parts)))
        held = self.held(found, rights)
        return [other for other in found if other in held]

    def longer(self, word: str, most: int, rights: Rights) -> tuple[list[str], list[str]]:
        """Words that begin with this one, and that end with it, which these classes hold: of more
        than `most` the first forwards, and backwards."""
        parts = self._words.parts()
        begun = [words.beginning for words in parts]
        ended = [words.ending for words in parts]
        return (
            self._first(begun, word, most, rights, lambda other: other),
            self._first(ended, word, most, rights, lambda other: other[::-1]),
        )

    def _first(
        self,
        finds: Sequence[Callable[[str, int], list[str]]],
        word: str,
        most: int,
        rights: Rights,
        order: Callable[[str], str],
    ) -> list[str]:
        looked_at = most
        while True:
            each = [find(word, looked_at) for find in finds]
            found = sorted({*chain.from_iterable(each)}, key=order)
            held = self.held(found, rights)
            kept = [other for other in found if other in held]
            if all(len(some) < looked_at for some in each):
                return kept[:most]
            # Beyond the last of a part that was cut short, others of that part may come first.
            cut = min((some[-1] for some in each if len(some) >= looked_at), key=order)
            sure = [other for other in kept if order(other) <= order(cut)]
            if len(sure) >= most:
                return sure[:most]
            looked_at *= 4

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, _told():
            self._db.close()

    def _all(self, asked: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock, _told():
            return self._db.execute(asked, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _told(), self._db:
            yield self._db


class _Words:
    """All words that any class ever held: those in order, and what came since."""

    def __init__(self, terms: Iterable[str] = ()) -> None:
        self._known = set(filter(is_word, terms))
        self._lock = threading.Lock()
        self._fresh: list[str] = []
        self._parts: list[Vocabulary] | None = None

    def add(self, terms: Iterable[str]) -> None:
        """The words among these terms, too."""
        with self._lock:
            new = {term for term in terms if is_word(term)} - self._known
            if new:
                self._known |= new
                self._fresh += new
                self._parts = self._parts and self._parts[:1]

    def parts(self) -> list[Vocabulary]:
        """In order; made when first asked for, so that no commit waits for it."""
        with self._lock:
            if self._parts is None or len(self._fresh) > _FRESH:
                self._parts, self._fresh = [Vocabulary.of(self._known)], []
            if len(self._parts) == 1 and self._fresh:
                self._parts.append(Vocabulary.of(self._fresh))
            return self._parts


def _among(rights: Rights, word: str = "WHERE") -> tuple[str, list[str]]:
    if rights is None:
        return "", []
    return f"{word} rights IN (SELECT value FROM json_each(?))", [json.dumps(sorted(rights))]


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise InklingError(
            "What is known of the team's words can't be read or kept: {error}.",
            hint="It is counted anew from the points: remove statistics.sqlite and start again.",
            told={"error": error},
        ) from error
