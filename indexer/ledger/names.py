"""The names lane: file and folder names in SQLite's full-text index, found as people ask."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from engine.contract.types import Filters, NameParts
from indexer.ledger import vocabulary
from indexer.ledger.name_answer import COMMON, Question, Row, Word, answer
from indexer.ledger.name_filters import condition, newest
from indexer.ledger.name_words import typed_words

#: So many of the matches, the best by what SQL can tell, are scored; or as many as are asked for.
CANDIDATES = 120
#: And so many are looked at for them, those noted last: "a" must not read half of all names.
LOOKED_AT = 1_200
#: Below it one common word of a long sentence happens to be in a name.
FLOOR = 0.1
#: Of a long sentence's words, the rarest that are looked for two by two.
_PAIRED = 4


class NameFound(NamedTuple):
    """A file whose name answers."""

    file_id: int
    score: float  # 0..1; 1 is the exact name
    parts: NameParts


def find(
    connection: sqlite3.Connection, words: Sequence[str], limit: int, filters: Filters
) -> list[NameFound]:
    """The best files for these words, best first, of equals the newest."""
    where = condition(filters)
    typed = " ".join(words).strip()
    pairs = typed_words(typed)
    if not typed:
        return [NameFound(i, 0.5, NameParts()) for i in newest(connection, filters, limit)]
    question = Question(typed, {text: Word(text, other) for text, other in pairs}, _texts(pairs))
    rows: dict[int, Row] = {}
    most = max(limit, CANDIDATES)
    _collect(rows, _exact(connection, where, question, most))
    if rows and len(question.words) > 1:
        # This very name was typed: others that hold the same words, and nothing looser.
        whole = _all_of("name", map(_whole, question.words))
        _collect(rows, _match(connection, where, next(whole), most))
    elif pairs and len(rows) < limit:
        _look_up(connection, question)
        question.weigh()
        for expression in _expressions(question, rows):
            if len(rows) >= limit:
                break
            _collect(rows, _match(connection, where, expression, most))
    scored = [(*answer(row, question), row) for row in rows.values()]
    scored.sort(key=lambda found: (-found[0], -found[2][2], -found[2][0]))
    return [
        NameFound(row[0], score, parts) for score, parts, row in scored[:limit] if score >= FLOOR
    ]


def _texts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [text for text, _ in pairs]


def _collect(rows: dict[int, Row], found: Iterable[Row]) -> None:
    for row in found:
        rows.setdefault(row[0], row)


def _look_up(connection: sqlite3.Connection, question: Question) -> None:
    """Fill in what the vocabulary knows; of typing errors only where nothing is spelled so."""
    for word in question.words.values():
        known = [vocabulary.beginning(connection, text) for text in {word.text, word.other}]
        word.files = sum(begin.files for begin in known)
        word.below = sum(begin.below for begin in known)
        word.spelled = [spelled for begin in known for spelled in begin.words]
        word.all_spelled = all(begin.whole for begin in known)
        if vocabulary.is_number(word.text) and word.text != question.order[-1]:
            # Nobody begins a number and goes on with another: "03" is no "0347" here.
            word.spelled = [number for number in word.spelled if number == word.text]
        if not word.files + word.below:  # a name that is not carried over may hold it
            word.files = _count(connection, word)
        if word.files < CANDIDATES:
            word.longer = vocabulary.inside(connection, word.text)
        if not word.files + word.below:
            word.near = vocabulary.near(connection, word.text)


def _count(connection: sqlite3.Connection, word: Word) -> int:
    """How many names or folders hold a word, at most COMMON, by the index itself."""
    (files,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM names CROSS JOIN files ON files.id = names.rowid"
        " WHERE names MATCH ? LIMIT ?)",
        (f"{{name folder}} : {_begin_of(word)}", COMMON),
    ).fetchone()
    return int(files)


def _expressions(question: Question, rows: Mapping[int, Row]) -> Iterator[str]:
    """What to look for, from strict to loose; `rows` is what was found by then."""
    exact = bool(rows)
    words = list(question.words.values())
    if question.path:
        phrase = [_whole(word) for part in question.path for word in part.split()]
        yield f"folder : ({' + '.join(phrase)})"
    if len(words) > 1 and min(word.files for word in words) >= LOOKED_AT:
        # Side by side, in this order: of so many that hold them all not every one is looked at.
        yield f"name : ({' + '.join(map(_whole, question.order))})"
    if len(words) > 1 or words[0].all_spelled:
        yield from _all_of("name", map(_strict, words))
    if not rows or len(words) == 1:
        yield from _all_of("name", map(_begin_of, words))
    if any(word.longer for word in words):
        yield from _all_of("name", map(_loose, words))
    yield from _all_of("{name folder}", map(_loose, words))
    if exact or len(words) < 2:
        return
    known = sorted((word for word in words if _loose(word)), key=lambda word: -word.weight)
    if len(known) < len(words):  # "the budget of the meeting"
        yield from _all_of("name", map(_loose, known))
    rare = [word for word in known if word.files < COMMON]
    if len(rare) > 1:
        together = combinations(map(_loose, rare[:_PAIRED]), 2)
        yield f"name : ({' OR '.join(f'({a} AND {b})' for a, b in together)})"
    for word in rare:
        yield f"name : {_loose(word)}"


def _all_of(columns: str, groups: Iterable[str]) -> Iterator[str]:
    """All of them; nothing where one of them can't be looked for."""
    known = list(groups)
    if known and all(known):
        yield f"{columns} : ({' AND '.join(known)})"


def _begin_of(word: Word) -> str:
    return _any_of(map(_begins, {word.text: None, word.other: None}))


def _strict(word: Word) -> str:
    """The words that a name may hold for this one: those that begin so, or what was meant.

    Long ones are spelled out: the index would put a beginning together from all that begin so.
    """
    if word.files + word.below:
        short = len(word.text) <= vocabulary.SHORT and not vocabulary.is_number(word.text)
        return ("" if short else _any_of(map(_whole, word.spelled))) or _begin_of(word)
    return _any_of(_whole(near) for near, _ in word.near)


def _loose(word: Word) -> str:
    """The same, and longer words that it is inside of; "" where there is nothing to look for."""
    return _any_of(filter(None, [_strict(word), *map(_whole, word.longer)]))


def _any_of(terms: Iterable[str]) -> str:
    found = list(terms)
    return f"({' OR '.join(found)})" if len(found) > 1 else "".join(found)


def _begins(token: str) -> str:
    # Tokens hold letters and digits only, so that quotes are all the escaping there is to do. One
    # letter stands for itself: as a beginning it would be half of all words, at ten times the cost.
    return f'"{token}"*' if len(token) > 1 else f'"{token}"'


def _whole(token: str) -> str:
    return f'"{token}"'


_COLUMNS = "files.id, files.path, files.mtime_ns, names.name, names.folder"
#: Of those looked at: where all have every word, those of which the words are the largest part.
_BEST = "ORDER BY size, time DESC LIMIT ?"
_JOINED = (
    f"SELECT {_COLUMNS} FROM (SELECT id FROM found {_BEST}) AS best"
    " CROSS JOIN files ON files.id = best.id CROSS JOIN names ON names.rowid = best.id"
)


def _exact(connection: sqlite3.Connection, where: str, question: Question, most: int) -> list[Row]:
    """Files of just this name, of this stem, or at this path."""
    rows: list[Row] = []
    for asked in {question.text: None, question.other: None}:
        rows += connection.execute(
            "WITH found AS (SELECT * FROM (SELECT id, 0 AS size, mtime_ns AS time FROM files"
            f" WHERE name_key = ? AND {where} ORDER BY mtime_ns DESC LIMIT ?)"
            " UNION ALL SELECT * FROM (SELECT id, length(name_key), mtime_ns FROM files"
            f" WHERE name_key >= ? AND name_key < ? AND {where} LIMIT {LOOKED_AT}))"
            f" {_JOINED}",
            (asked, most, f"{asked}.", f"{asked}/", most),
        ).fetchall()
    if question.place:
        rows += connection.execute(
            f"SELECT {_COLUMNS} FROM files JOIN names ON names.rowid = files.id"
            f" WHERE path = ? AND {where}",
            (os.fsencode(question.place),),
        ).fetchall()
    return rows


def _match(connection: sqlite3.Connection, where: str, expression: str, most: int) -> list[Row]:
    # CROSS JOIN: SQLite keeps this order, the full-text index first.
    return connection.execute(
        "WITH found AS (SELECT files.id AS id, length(name_key) AS size, mtime_ns AS time"
        " FROM names CROSS JOIN files ON files.id = names.rowid"
        f" WHERE names MATCH ? AND {where} ORDER BY names.rowid DESC LIMIT {LOOKED_AT})"
        f" {_JOINED}",
        (expression, most),
    ).fetchall()
