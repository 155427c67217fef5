"""The vocabulary: every word that names and folders hold, how many files hold it, and its likes.

Far fewer than names, so that typing errors and words inside longer ones can be looked for in it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from rapidfuzz.distance import OSA

#: Shorter words are too near to too many others; from the second length on two errors pass.
ONE_TYPO, TWO_TYPOS = 5, 8
#: Shorter words are inside half of all others.
INSIDE = 4
#: So many of a kind are enough: each is looked for in the index of names.
MOST_NEAR, MOST_INSIDE = 5, 24
#: Beginnings of more words than this are common enough.
_MOST_BEGINNINGS = 1_000
#: Beginnings that the index of names has ready.
SHORT = 3
#: And so many stand for a beginning, which the index would have to put together first.
MOST_SPELLED_OUT = 16
#: After every word.
END = "\U0010ffff"


@dataclass(slots=True)
class WordCounts:
    """Changes to be made to the vocabulary: by word, in names and in folders."""

    names: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)

    def add(self, rows: Iterable[tuple[str, str]], sign: int = 1) -> None:
        """Count rows of the index of names, (name, folder)."""
        names, folders = zip(*rows, strict=True) if (rows := list(rows)) else ((), ())
        words = Counter(chain.from_iterable(set(name.split()) for name in names))
        if sign > 0:
            self.names.update(words)
        else:
            self.names.subtract(words)
        for folder, files in Counter(folders).items():
            for word in set(folder.split()):
                self.folders[word] += sign * files

    def write(self, connection: sqlite3.Connection) -> None:
        """Make them; a word that nothing holds any more goes."""
        more, fewer = [], []
        for word in self.names.keys() | self.folders.keys():
            files, below = self.names[word], self.folders[word]
            if files < 0 or below < 0:
                fewer.append((files, below, word))
            elif files or below:
                more.append((word, None if is_number(word) else word[::-1], files, below))
        connection.executemany(
            "INSERT INTO words (word, backwards, files, below) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (word) DO UPDATE SET"
            " files = files + excluded.files, below = below + excluded.below",
            more,
        )
        connection.executemany(
            "UPDATE words SET files = files + ?, below = below + ? WHERE word = ?", fewer
        )
        connection.executemany(
            "DELETE FROM words WHERE word = ? AND files <= 0 AND below <= 0",
            [(word,) for _, _, word in fewer],
        )
        self.names.clear()
        self.folders.clear()


@dataclass(frozen=True, slots=True)
class Beginning:
    """Words that begin with some letters: how many names and folders hold them, and which."""

    files: int = 0
    below: int = 0
    words: tuple[str, ...] = ()  # the commonest
    whole: bool = True  # these are all


def beginning(connection: sqlite3.Connection, letters: str) -> Beginning:
    """The words that begin so, of very many the first: the word itself is one of them. One letter
    stands for itself."""
    most = _MOST_BEGINNINGS if len(letters) > SHORT else _MOST_BEGINNINGS // 5
    rows = connection.execute(
        "SELECT word, files, below FROM words WHERE word >= ? AND word < ? ORDER BY word LIMIT ?",
        (letters, letters + (END if len(letters) > 1 else "\x00"), most),
    ).fetchall()
    files, below = sum(row[1] for row in rows), sum(row[2] for row in rows)
    rows.sort(key=lambda row: -row[1])
    words = tuple(row[0] for row in rows[:MOST_SPELLED_OUT])
    return Beginning(files, below, words, len(rows) <= MOST_SPELLED_OUT)


def is_number(word: str) -> bool:
    """Whether a word is digits only: of these there are as many as photos."""
    return word.isascii() and word.isdecimal()


def typos_allowed(word: str) -> int:
    """How many typing errors a word may have; none in numbers and identifiers."""
    if not word.isalpha():
        return 0
    return (len(word) >= ONE_TYPO) + (len(word) >= TWO_TYPOS)


def near(connection: sqlite3.Connection, word: str) -> list[tuple[str, int]]:
    """Known words a typing error or two away and how many, nearest and then commonest first.

    An error leaves the beginning or the end whole, but for two that hit both.
    """
    most = typos_allowed(word)
    if not most:
        return []
    kept = min(3, (len(word) - 1) // 2)
    begin, end = word[:kept], word[: -kept - 1 : -1]
    shortest, longest = len(word) - most, len(word) + most
    # Each is read from its index alone.
    begun = connection.execute(
        "SELECT word FROM words WHERE word >= ? AND word < ? AND length(word) BETWEEN ? AND ?",
        (begin, begin + END, shortest, longest),
    )
    others = {row[0] for row in begun}
    ended = connection.execute(
        "SELECT backwards FROM words WHERE backwards >= ? AND backwards < ?"
        " AND length(backwards) BETWEEN ? AND ?",
        (end, end + END, shortest, longest),
    )
    others.update(row[0][::-1] for row in ended)
    found = []
    for other in others:
        typos = OSA.distance(word, other, score_cutoff=most)
        if 0 < typos <= most and other.isalpha():
            (files,) = connection.execute(
                "SELECT files + below FROM words WHERE word = ?", (other,)
            ).fetchone()
            found.append((typos, -files, other))
    found.sort()
    fewest = found[0][0] if found else 0
    return [(other, typos) for typos, _, other in found[:MOST_NEAR] if typos == fewest]


def holding(
    connection: sqlite3.Connection, letters: str, most: int, *, ends: bool
) -> dict[str, int] | None:
    """Words of names that hold, or end with, these letters, and how many names hold each; None
    where only reading the whole vocabulary would tell."""
    found: dict[str, int] = {}
    if is_number(letters):  # numbers are in order only
        found.update(
            connection.execute(
                "SELECT word, files FROM words WHERE word >= '0' AND word < ':' AND files"
                " AND backwards IS NULL AND word LIKE ? LIMIT ?",
                (f"%{letters}" if ends else f"%{letters}%", most),
            )
        )
    if ends:
        other = letters[::-1]
        rows = connection.execute(
            "SELECT word, files FROM words WHERE backwards >= ? AND backwards < ? AND files"
            " LIMIT ?",
            (other, other + END, most),
        )
    elif len(letters) < 3:
        return None
    else:
        rows = connection.execute(
            "SELECT words.word, files FROM word_parts CROSS JOIN words"
            " ON words.id = word_parts.rowid WHERE word_parts.word LIKE ? AND files LIMIT ?",
            (f"%{letters}%", most),
        )
    found.update(rows)
    return found


def inside(connection: sqlite3.Connection, word: str) -> list[str]:
    """Known longer words that hold this one but do not begin with it, commonest first."""
    if len(word) < INSIDE or is_number(word):
        return []
    rows = connection.execute(
        "SELECT words.word FROM word_parts CROSS JOIN words ON words.id = word_parts.rowid"
        " WHERE word_parts.word LIKE ? AND substr(words.word, 1, ?) != ?"
        " ORDER BY files DESC, words.word LIMIT ?",
        (f"%{word}%", len(word), word, MOST_INSIDE),
    )
    return [row[0] for row in rows]
