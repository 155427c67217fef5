"""Filters as SQL: one meaning for the ledger's SQLite and the store's DataFusion, so that names,
words and vectors keep and drop the same files.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol

from engine.contract.attributes import ATTRIBUTES
from engine.contract.kinds import KINDS, file_kinds
from engine.contract.path_text import clean, path_to_text
from engine.contract.types import AttributeFilter, Filters


class Dialect(Protocol):
    """What the two databases say differently. Columns: kind, picture, ext, language, size, folder
    (a `folder_key`), and one for each row of ATTRIBUTES."""

    #: Expression for a file's date in seconds since the epoch: when it was taken, where it says
    #: so, else when it was changed. A copied photograph is as old as what is seen on it.
    date: str

    def contains(self, column: str, text: str) -> str:
        """Whether a column's text holds this text."""

    def below(self, folder: str) -> str:
        """Whether a file lies below an absolute folder."""

    def named(self, pattern: str) -> str:
        """Whether a file's whole name meets a pattern, whatever its case and accents."""


def filter_conditions(filters: Filters, dialect: Dialect) -> list[str]:
    """Conditions that a file must fulfil, all of them; none where nothing is demanded."""
    f, demands = filters, list[str]()
    for column, wanted, unwanted in (
        ("ext", f.exts, f.not_exts),
        ("language", f.languages, f.not_languages),
    ):
        if wanted:
            demands.append(one_of(column, wanted))
        if unwanted:
            demands.append(f"({column} IS NULL OR NOT {one_of(column, unwanted)})")
    if f.kinds:
        demands.append(_any(map(_of_kind, f.kinds)))
    demands += [f"NOT {_of_kind(kind)}" for kind in f.not_kinds]
    if f.folders:
        demands.append(_any(_inside(folder, dialect) for folder in f.folders))
    demands += [f"NOT {_inside(folder, dialect)}" for folder in f.not_folders]
    if f.names:
        demands.append(_any(map(dialect.named, f.names)))
    demands += [f"NOT {dialect.named(pattern)}" for pattern in f.not_names]
    for column, sign, bound, literal in (
        (dialect.date, ">=", f.after, number),
        (dialect.date, "<", f.before, number),
        ("size", ">=", f.min_size, integer),
        ("size", "<=", f.max_size, integer),
    ):
        if bound is not None:
            demands.append(f"{column} {sign} {literal(bound)}")
    demands += [_of_attribute(demand, dialect) for demand in f.attributes]
    demands += [_one_of(options, dialect) for options in f.any_of]
    return demands


def _one_of(options: Iterable[Filters], dialect: Dialect) -> str:
    """That one of several is fulfilled."""
    wholes = [filter_conditions(option, dialect) or ["1 = 1"] for option in options]
    return _any(f"({' AND '.join(whole)})" for whole in wholes) if wholes else "1 = 0"


def quote(value: str) -> str:
    """A SQL string literal."""
    return "'" + clean(value).replace("\x00", "").replace("'", "''") + "'"


def number(value: float) -> str:
    """A SQL number literal; what is beyond any date or size is as far as can be."""
    return repr(min(max(float(value), -1e18), 1e18))


def integer(value: float) -> str:
    """The same for a column of whole numbers, which DataFusion does not compare with others."""
    return str(int(min(max(value, -(2**62)), 2**62)))


def one_of(column: str, values: Sequence[str]) -> str:
    """Whether a column has one of these texts."""
    return f"{column} IN ({', '.join(map(quote, values))})"


def folder_key(folder: str) -> str:
    """How the column `folder` spells a directory: slashes, lower case, composed."""
    slashed = folder.replace("\\", "/") if os.sep == "\\" else folder
    return unicodedata.normalize("NFC", path_to_text(slashed)).lower().rstrip("/") + "/"


def _of_kind(kind: str) -> str:
    """A kind with all that count as one of it, or a picture class."""
    row = KINDS.get(kind)
    if row is not None and row.is_kind:
        return one_of("kind", file_kinds(kind))
    return f"(picture IS NOT NULL AND picture = {quote(kind)})"


def _inside(folder: str, dialect: Dialect) -> str:
    """Below an absolute folder, or below any folder of that name; `*part*`: that holds it."""
    if os.path.isabs(folder):
        return dialect.below(folder.rstrip("/\\") or os.sep)
    name = folder_key(folder).strip("/")
    if name.startswith("*") and name.endswith("*"):
        return dialect.contains("folder", name.strip("*"))
    return dialect.contains("folder", f"/{name}/")


def _of_attribute(demand: AttributeFilter, dialect: Dialect) -> str:
    """A range or a choice of values; "not" takes files without the attribute, too."""
    row = ATTRIBUTES.get(demand.name)
    if row is None:
        return "1 = 0"
    parts = []
    if demand.values and row.part:
        parts.append(_any(dialect.contains(row.name, value) for value in demand.values))
    elif demand.values:
        parts.append(one_of(row.name, demand.values))
    if demand.low is not None:
        parts.append(f"{row.name} >= {number(demand.low)}")
    if demand.high is not None:
        # A period ends where the next begins; "at most 100 pages" takes 100.
        parts.append(f"{row.name} {'<' if row.type == 'time' else '<='} {number(demand.high)}")
    wanted = f"({' AND '.join([f'{row.name} IS NOT NULL', *parts])})"
    return f"NOT {wanted}" if demand.negated else wanted


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions)})"
