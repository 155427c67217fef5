"""The names lane: file and folder names in SQLite's full-text index, split the way people ask."""

from __future__ import annotations

import math
import os
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from engine.contract.conditions import filter_conditions, quote
from engine.contract.types import Filters
from indexer.ledger.records import below

_RUN = re.compile(r"[^\W_]+")
#: A run's words, in its classes: digits, an acronym before a capitalised word, a word.
_WORD = re.compile(r"0+|A+(?=Aa)|A?a+|A+")
_ASCII_WORD = re.compile(r"[0-9]+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
#: Scripts written without spaces: every character is a token, and phrases find the words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
#: So many of the matches, the best by what SQL can tell, are scored.
CANDIDATES = 200
#: A word that this many names hold says nothing when it stands alone.
COMMON = 2_000
_COMMON_WEIGHT = math.log(2)
#: Below it one common word of a long sentence happens to be in a name.
FLOOR = 0.1
#: Of a word in no name, as large as that of a word in a hundred names; short ones are mostly "the".
_UNKNOWN_WEIGHT = math.log(1 + COMMON / 100)


def plain(text: str) -> str:
    """Text that SQLite takes and that compares as people read: no surrogates, composed, folded."""
    return text.lower() if text.isascii() else _composed(text).casefold()


def _composed(text: str) -> str:
    """Compatibility forms composed, accents dropped: "resume" is to find "Résumé"."""
    apart = unicodedata.normalize("NFKD", text.encode("utf-8", "replace").decode("utf-8"))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def split_words(text: str) -> list[str]:
    """The words of a name or query, folded; identifiers are taken apart."""
    if text.isascii():
        return [word.lower() for word in _ASCII_WORD.findall(text)]
    words: list[str] = []
    for run in _RUN.findall(_UNSPACED.sub(lambda match: f" {match[0]} ", _composed(text))):
        classes = "".join("0" if c.isdecimal() else "A" if c.isupper() else "a" for c in run)
        words.extend(run[m.start() : m.end()].casefold() for m in _WORD.finditer(classes))
    return words


def index_text(name: str) -> str:
    """What the index holds of a name: its words, then its undivided runs where they differ."""
    words = split_words(name)
    runs = [run for run in _RUN.findall(plain(name)) if run not in words]
    return " ".join(words + runs)


#: Files come folder by folder.
_folder_text = lru_cache(maxsize=256)(index_text)


def index_row(file_id: int, path: str, root: str) -> tuple[int, str, str]:
    """A row of the index; of the folders it holds those from the root's own name downwards."""
    folder, name = os.path.split(path)
    above = len(os.path.dirname(root)) if folder.startswith(root) else 0
    return file_id, index_text(name), _folder_text(folder[above:])


class Sqlite:
    """The ledger's SQL, for engine.contract.conditions."""

    mtime = "files.mtime_ns / 1e9"

    def contains(self, column: str, text: str) -> str:
        return f"instr({column if column != 'folder' else 'files.folder'}, {quote(text)}) > 0"

    def below(self, folder: str) -> str:
        first, after = below(os.fsencode(folder))
        return f"(files.path >= x'{first.hex()}' AND files.path < x'{after.hex()}')"


def _condition(filters: Filters) -> str:
    """What a file must fulfil to be found by its name."""
    return " AND ".join(["files.state != 'withheld'", *filter_conditions(filters, Sqlite())])


#: id, path, mtime_ns, the index's words of the name and of the folders.
_Row = tuple[int, bytes, int, str, str]
_COLUMNS = "files.id, files.path, files.mtime_ns, names.name, names.folder"


def find(
    connection: sqlite3.Connection, words: Sequence[str], limit: int, filters: Filters
) -> list[tuple[int, float]]:
    """The best file ids for these words as (id, score in 0..1], best first."""
    condition = _condition(filters)
    typed = " ".join(words)
    tokens = split_words(typed)
    if not tokens:
        return _newest(connection, condition, limit)
    rows: dict[int, _Row] = {}
    weights = dict.fromkeys(tokens, 1.0)
    asked = plain(typed).strip()
    for row in _exact(connection, condition, asked):
        rows[row[0]] = row
    for expression, order in _expressions(connection, tokens, weights):
        if len(rows) >= limit:
            break
        for row in _match(connection, condition, expression, order):
            rows.setdefault(row[0], row)
    scored = [(_score(row, asked, tokens, weights), row[2], row[0]) for row in rows.values()]
    scored.sort(reverse=True)
    return [(file_id, score) for score, _, file_id in scored[:limit] if score >= FLOOR]


def _expressions(
    connection: sqlite3.Connection, tokens: Sequence[str], weights: dict[str, float]
) -> Iterator[tuple[str, str]]:
    """What to look for, from strict to loose, and which of the matches come first; fills in the
    weights when it comes to them."""
    everything = _all_of(tokens)
    if len(tokens) > 1:  # side by side, in this order: the words' coverage decides as below
        yield f"name : ({' + '.join(map(_whole, tokens[:-1]))} + {_term(tokens[-1])})", _SHORTEST
    yield f"name : ({everything})", _SHORTEST
    yield f"{{name folder}} : ({everything})", _SHORTEST
    if len(weights) < 2:
        return
    weights.update(_weights(connection, weights))
    known = [token for token, weight in weights.items() if weight > 0]
    if 1 < len(known) < len(weights):  # "the budget of the meeting"
        yield f"name : ({_all_of(known)})", _SHORTEST
    rare = [token for token in known if weights[token] > _COMMON_WEIGHT]
    if rare:
        yield f"name : ({' OR '.join(map(_term, rare))})", _RAREST


#: Where all have every word, those come first of which the words are the largest part.
_SHORTEST = "length(files.name_key), files.mtime_ns DESC"
#: Where each has some of the words, those with the rarest: FTS5's BM25.
_RAREST = "names.rank"


def _term(token: str) -> str:
    # Tokens hold letters and digits only, so that quotes are all the escaping there is to do. One
    # letter stands for itself: as a beginning it would be half of all words, at ten times the cost.
    return f'"{token}"*' if len(token) > 1 else f'"{token}"'


def _whole(token: str) -> str:
    return f'"{token}"'


def _all_of(tokens: Sequence[str]) -> str:
    return " AND ".join(map(_term, tokens))


def _exact(connection: sqlite3.Connection, condition: str, asked: str) -> list[_Row]:
    """Files of just this name, with or without its extension."""
    return connection.execute(
        f"SELECT {_COLUMNS} FROM files JOIN names ON names.rowid = files.id"
        f" WHERE (name_key = ? OR name_key >= ? AND name_key < ?) AND {condition}"
        f" ORDER BY {_SHORTEST} LIMIT {CANDIDATES}",
        (asked, f"{asked}.", f"{asked}/"),
    ).fetchall()


def _match(
    connection: sqlite3.Connection, condition: str, expression: str, order: str
) -> list[_Row]:
    # CROSS JOIN: SQLite keeps this order, the full-text index first.
    return connection.execute(
        f"SELECT {_COLUMNS} FROM names CROSS JOIN files ON files.id = names.rowid"
        f" WHERE names MATCH ? AND {condition} ORDER BY {order} LIMIT {CANDIDATES}",
        (expression,),
    ).fetchall()


def _newest(connection: sqlite3.Connection, condition: str, limit: int) -> list[tuple[int, float]]:
    rows = connection.execute(
        f"SELECT files.id FROM files WHERE {condition} ORDER BY mtime_ns DESC LIMIT ?", (limit,)
    )
    return [(row[0], 0.5) for row in rows]


def _weights(connection: sqlite3.Connection, tokens: Iterable[str]) -> dict[str, float]:
    """How much each word says: 0 if no name has it, else falling with the names that do."""
    weights = {}
    for token in tokens:
        (count,) = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM names WHERE names MATCH ? LIMIT ?)",
            (f"name : {_term(token)}", COMMON),
        ).fetchone()
        weights[token] = math.log(1 + COMMON / count) if count else 0.0
    return weights


def _score(row: _Row, asked: str, tokens: Sequence[str], weights: Mapping[str, float]) -> float:
    """How well a path answers: exact name, all words in order, all words, some of the words."""
    _, path, _, name_words, folder_words = row
    name = os.fsdecode(path[path.rfind(b"/") + 1 :])
    if asked == plain(name):
        return 1.0
    words, folders = f" {name_words}", f" {folder_words}"
    places = {token: words.find(f" {token}") for token in weights}
    in_name = [token for token, place in places.items() if place >= 0]
    if len(in_name) == len(weights):
        stem = sum(map(str.isalnum, os.path.splitext(name)[0])) or 1
        cover = min(1.0, sum(map(len, tokens)) / stem)
        order = [places[token] for token in tokens]
        return 0.75 + 0.15 * cover + 0.08 * (order == sorted(order))
    in_folder = [token for token in weights if f" {token}" in folders]
    if len({*in_name, *in_folder}) == len(weights):
        return 0.45 + 0.2 * len(in_name) / len(weights)
    # A word that no name has still counts as not found.
    total = sum(
        weight or (_UNKNOWN_WEIGHT if len(token) > 3 else _COMMON_WEIGHT)
        for token, weight in weights.items()
    )
    return 0.4 * sum(weights[token] for token in in_name) / total
