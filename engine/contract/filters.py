"""Filters: each word before a colon once, how its value is read, what a person is told of it."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from engine.contract.attributes import ATTRIBUTES, Attribute
from engine.contract.kinds import KIND_WORDS, KINDS
from engine.contract.types import AttributeFilter, Filters

_RANGE = re.compile(r"(?P<low>.*?)\.\.(?P<high>.*)")
_SIZE = re.compile(r"(?P<sign>[<>]=?)?(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kmgt]?)i?b?", re.I)
_AGO = re.compile(r"(?P<number>\d+)(?P<unit>[dwmy])")
_NUMBER = re.compile(r"(?P<sign>[<>]=?)?(?P<number>\d{1,12}(?:\.\d{1,6})?)")
_AGO_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SIZE_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}

Reader = Callable[[Filters, str, bool, dt.datetime], "Filters | None"]


def _kind(filters: Filters, value: str, negated: bool, _: dt.datetime) -> Filters | None:
    kinds = [KIND_WORDS.get(part.lower()) for part in value.split(",")]
    known = tuple(kind for kind in kinds if kind)
    if len(known) != len(kinds):
        return None
    if negated:
        return replace(filters, not_kinds=filters.not_kinds + known)
    return replace(filters, kinds=filters.kinds + known)


def _ext(filters: Filters, value: str, negated: bool, _: dt.datetime) -> Filters | None:
    exts = tuple(part.lower().lstrip(".") for part in value.split(",") if part.strip("."))
    if not exts:
        return None
    if negated:
        return replace(filters, not_exts=filters.not_exts + exts)
    return replace(filters, exts=filters.exts + exts)


def _name(filters: Filters, value: str, negated: bool, _: dt.datetime) -> Filters | None:
    return add_name(filters, value if "*" in value or "?" in value else f"*{value}*", negated)


def add_name(filters: Filters, pattern: str, negated: bool) -> Filters:
    if negated:
        return replace(filters, not_names=(*filters.not_names, pattern))
    return replace(filters, names=(*filters.names, pattern))


def _in(filters: Filters, value: str, negated: bool, _: dt.datetime) -> Filters | None:
    folder = os.path.expanduser(value)
    if folder.startswith(("/", "\\")) or os.path.isabs(folder):
        folder = os.path.normpath(folder)
    folder = folder.rstrip("/\\") or "/"
    if negated:
        return replace(filters, not_folders=(*filters.not_folders, folder))
    return replace(filters, folders=(*filters.folders, folder))


def _album(filters: Filters, value: str, negated: bool, moment: dt.datetime) -> Filters | None:
    part = value.replace("*", " ").strip().strip("/\\")
    if not part:
        return None
    if negated:
        return replace(filters, not_folders=(*filters.not_folders, f"*{part}*"))
    inside = Filters(kinds=("image", "video"), folders=(f"*{part}*",))
    return replace(filters, any_of=(*filters.any_of, (inside,)))


def _archive(filters: Filters, value: str, negated: bool, _: dt.datetime) -> Filters | None:
    names = tuple(part for part in value.split(",") if part)
    if negated:
        return replace(filters, not_archives=filters.not_archives + names)
    return replace(filters, archives=filters.archives + names)


def _lang(filters: Filters, value: str, negated: bool, _: dt.datetime) -> Filters | None:
    languages = tuple(part.lower() for part in value.split(",") if part)
    if negated:
        return replace(filters, not_languages=filters.not_languages + languages)
    return replace(filters, languages=filters.languages + languages)


def _after(filters: Filters, value: str, negated: bool, moment: dt.datetime) -> Filters | None:
    span = _period(value, moment)
    if span is None:
        return None
    return _tighten(filters, *((None, span[0]) if negated else (span[0], None)))


def _before(filters: Filters, value: str, negated: bool, moment: dt.datetime) -> Filters | None:
    span = _period(value, moment)
    if span is None:
        return None
    return _tighten(filters, *((span[0], None) if negated else (None, span[0])))


def _date(filters: Filters, value: str, negated: bool, moment: dt.datetime) -> Filters | None:
    span = _span(value, moment)
    if span is None:
        return None
    if negated:
        low, high = span
        below = None if low is None else Filters(before=low)
        return _outside(filters, below, None if high is None else Filters(after=high))
    return _tighten(filters, *span)


def _outside(filters: Filters, below: Filters | None, above: Filters | None) -> Filters:
    """What is not in a range is below or above it."""
    sides = tuple(side for side in (below, above) if side)
    return replace(filters, any_of=(*filters.any_of, sides))


def _span(value: str, moment: dt.datetime) -> tuple[float | None, float | None] | None:
    """A period, or a range of two, as [start, end) in epoch seconds; None if it is neither."""
    pair = _RANGE.fullmatch(value)
    if not pair:
        return _period(value, moment, ago_is_span=True)
    low = _period(pair["low"], moment) if pair["low"] else None
    high = _period(pair["high"], moment) if pair["high"] else None
    if (pair["low"] and low is None) or (pair["high"] and high is None) or not (low or high):
        return None
    return low[0] if low else None, high[1] if high else None


def _tighten(filters: Filters, after: float | None, before: float | None) -> Filters:
    """Narrow the time bounds: several date filters together are AND."""
    lows = [bound for bound in (filters.after, after) if bound is not None]
    highs = [bound for bound in (filters.before, before) if bound is not None]
    return replace(filters, after=max(lows, default=None), before=min(highs, default=None))


def _period(
    value: str, moment: dt.datetime, *, ago_is_span: bool = False
) -> tuple[float, float] | None:
    """A day, month, year, `today`, `yesterday` or `7d` ago as [start, end) in epoch seconds."""
    value = value.lower()
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    day = dt.timedelta(days=1)
    if value in ("today", "yesterday"):
        start = midnight if value == "today" else midnight - day
        return start.timestamp(), (start + day).timestamp()
    if ago := _AGO.fullmatch(value):
        try:
            start = midnight - day * (int(ago["number"]) * _AGO_DAYS[ago["unit"]])
        except OverflowError:
            return None
        return start.timestamp(), ((midnight if ago_is_span else start) + day).timestamp()
    return _calendar(value)


def _calendar(value: str) -> tuple[float, float] | None:
    for form, months in (("%Y", 12), ("%Y-%m", 1), ("%Y-%m-%d", 0)):
        try:
            start = dt.datetime.strptime(value, form)
            whole = start.year * 12 + start.month - 1 + months
            end = start.replace(year=whole // 12, month=whole % 12 + 1)
            if not months:
                end += dt.timedelta(days=1)
            return start.timestamp(), end.timestamp()
        except (ValueError, OverflowError):
            continue
    return None


def _size(filters: Filters, value: str, negated: bool, _: dt.datetime) -> Filters | None:
    bounds = _sizes(value)
    if bounds is None:
        return None
    low, high = bounds
    if negated:
        below = None if low is None else Filters(max_size=low - 1)
        return _outside(filters, below, None if high is None else Filters(min_size=high + 1))
    low = filters.min_size if low is None else low
    return replace(filters, min_size=low, max_size=filters.max_size if high is None else high)


def _sizes(value: str) -> tuple[int | None, int | None] | None:
    """`>1MB`, `<10k`, `1M..2M` or one size, which means at least that, in bytes."""
    if pair := _RANGE.fullmatch(value):
        low, high = _bytes(pair["low"]), _bytes(pair["high"])
        wrong = (low is None and pair["low"]) or (high is None and pair["high"])
        return None if wrong or (low is None and high is None) else (low, high)
    size = _bytes(value)
    if size is None:
        return None
    return (None, size) if value.startswith("<") else (size, None)


def _bytes(value: str) -> int | None:
    match = _SIZE.fullmatch(value)
    return int(float(match["number"]) * _SIZE_UNITS[match["unit"].lower()]) if match else None


def _reader_of(row: Attribute) -> Reader:
    """How the value of an attribute's filter is read, by its type."""

    def read(filters: Filters, value: str, negated: bool, moment: dt.datetime) -> Filters | None:
        bounds: tuple[float | None, float | None] | None = (None, None)
        values: tuple[str, ...] = ()
        if row.type == "text":
            values = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        elif row.type == "time":
            bounds = _span(value, moment)
        else:
            bounds = _numbers(value)
        if bounds is None or (bounds == (None, None) and not values):
            return None
        demand = AttributeFilter(row.name, *bounds, values, negated)
        return replace(filters, attributes=(*filters.attributes, demand))

    return read


def _numbers(value: str) -> tuple[float | None, float | None] | None:
    """`>100`, `<=100`, `10..20` or one number as [low, high]; None if it is none of these."""
    if pair := _RANGE.fullmatch(value):
        ends = [_NUMBER.fullmatch(pair[end]) for end in ("low", "high")]
        if any(pair[end] and not found for end, found in zip(("low", "high"), ends, strict=True)):
            return None
        low, high = (float(found["number"]) if found else None for found in ends)
        return low, high
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    number = float(found["number"])
    match found["sign"]:
        case ">":
            return math.nextafter(number, math.inf), None
        case ">=":
            return number, None
        case "<":
            return None, math.nextafter(number, -math.inf)
        case "<=":
            return None, number
    return number, number


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One filter: the word before the colon, how its value is read, what a person is told of it."""

    word: str
    read: Reader  # None: not a valid value, the token stays text
    example: str
    help: str


#: Every filter once; README and API page are made from it.
FILTERS: dict[str, FilterRow] = {
    row.word: row
    for row in (
        FilterRow(
            "kind",
            _kind,
            "kind:screenshot",
            "what it is: " + ", ".join(row.id for row in KINDS.values() if row.words),
        ),
        FilterRow("type", _kind, "type:pdf", "the same as `kind`"),
        FilterRow("ext", _ext, "ext:md", "how its name ends"),
        FilterRow(
            "name",
            _name,
            "name:lea*.txt",
            "how it is called: `*` stands for any letters, `?` for one; a word with `*` alone does,"
            " too",
        ),
        FilterRow("lang", _lang, "lang:python", "programming language"),
        FilterRow(
            "in",
            _in,
            "in:Work",
            "below a folder of that name, or at that path; several are alternatives",
        ),
        FilterRow(
            "album",
            _album,
            "album:lisbon",
            "pictures and films below a folder whose name holds that",
        ),
        FilterRow(
            "after",
            _after,
            "after:2026-01-01",
            "changed, photographs taken, then or later; `7d`, `today`, too",
        ),
        FilterRow(
            "before", _before, "before:2026", "changed, photographs taken, earlier than that"
        ),
        FilterRow(
            "date",
            _date,
            "date:2025-03..2025-05",
            "changed, photographs taken, in that day, month, year or span",
        ),
        FilterRow("size", _size, "size:>1MB", "how large it is"),
        FilterRow(
            "archive",
            _archive,
            "archive:Lab",
            "in an archive that was added, by its name; `here` is this machine",
        ),
        *(
            FilterRow(row.word, _reader_of(row), row.example, row.help)
            for row in ATTRIBUTES.values()
        ),
    )
}
FILTER_KEYS = tuple(FILTERS)


def both(a: Filters, b: Filters) -> Filters:
    """Typed filters and chips together: lists join, bounds narrow."""
    merged: dict[str, Any] = {}
    for name in a.__dataclass_fields__:
        mine, theirs = getattr(a, name), getattr(b, name)
        if isinstance(mine, tuple):
            merged[name] = (*mine, *theirs)
        else:
            bounds = [value for value in (mine, theirs) if value is not None]
            pick = max if name in ("after", "min_size") else min
            merged[name] = pick(bounds) if bounds else None
    return Filters(**merged)
