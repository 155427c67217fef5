"""Dates as people say them: from a rule of engine.contract.reading_words to days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from engine.contract.reading_words import Language

#: Of a year that is spoken of; no file on a disk is older, none is of a year to come.
OLDEST_YEAR = 1980
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, and how `date:` says them."""

    first: dt.date
    last: dt.date
    value: str

    @property
    def since(self) -> str:
        return f"after:{_single(self.value) or self.first.isoformat()}"

    @property
    def before(self) -> str:
        return f"before:{_single(self.value) or self.first.isoformat()}"

    @property
    def until(self) -> str:
        return f"date:..{_single(self.value) or self.last.isoformat()}"

    @property
    def within(self) -> str:
        return f"date:{self.value}"


def _single(value: str) -> str:
    """A value that names the whole period, where it does."""
    return value if value.replace("-", "").isdigit() else ""


@dataclass(frozen=True, slots=True)
class Slots:
    """What stood in the slots of a date's pattern."""

    n: int = 1
    unit: str = "d"
    weekday: int = 0  # 0 is Monday
    month: int = 0  # 1 to 12
    year: int = 0


def period(rule: str, slots: Slots, today: dt.date, language: Language) -> Period | None:
    """The days that a rule means; None for what lies before all calendars or in the future."""
    name, _, back = rule.partition(" ")
    try:
        match name:
            case "day":
                return _days(today - dt.timedelta(days=int(back)))
            case "week":
                return _week(today - dt.timedelta(weeks=int(back)), language)
            case "month" if back:
                return _month(*divmod(today.year * 12 + today.month - 1 - int(back), 12))
            case "year" if back:
                return _year(today.year - int(back))
            case "weekday":
                return _days(
                    today - dt.timedelta(days=(today.weekday() - slots.weekday - 1) % 7 + 1)
                )
            case "span":
                first = today - dt.timedelta(days=slots.n * _DAYS[slots.unit])
                return Period(first, today, f"{slots.n}{slots.unit}")
            case "ago":
                return _ago(slots, today)
            case "month":
                return _named_month(slots, today)
            case "year":
                return _year(slots.year) if OLDEST_YEAR <= slots.year <= today.year else None
    except (OverflowError, ValueError):
        return None
    raise ValueError(f"no rule for dates: {rule}")


def _days(first: dt.date, count: int = 1) -> Period:
    last = first + dt.timedelta(days=count - 1)
    value = first.isoformat()
    return Period(first, last, value if count == 1 else f"{value}..{last.isoformat()}")


def _week(day: dt.date, language: Language) -> Period:
    """The week of a day; where people differ in what day it begins on, from the earlier beginning
    to the later end: a day too many hides nothing."""
    starts = [
        day - dt.timedelta(days=(day.weekday() - begin) % 7) for begin in language.weeks_begin
    ]
    first, last = min(starts), max(starts) + dt.timedelta(days=6)
    return _days(first, (last - first).days + 1)


def _month(year: int, month0: int) -> Period:
    first = dt.date(year, month0 + 1, 1)
    after = dt.date(year + (month0 + 1) // 12, (month0 + 1) % 12 + 1, 1)
    return Period(first, after - dt.timedelta(days=1), f"{year:04d}-{month0 + 1:02d}")


def _year(year: int) -> Period:
    return Period(dt.date(year, 1, 1), dt.date(year, 12, 31), f"{year:04d}")


def _named_month(slots: Slots, today: dt.date) -> Period | None:
    """A month of that year; without one the last that has begun."""
    if not slots.year:
        return _month(today.year - (slots.month > today.month), slots.month - 1)
    if not OLDEST_YEAR <= slots.year <= today.year:
        return None
    return _month(slots.year, slots.month - 1)


def _ago(slots: Slots, today: dt.date) -> Period:
    """About then: half a unit earlier or later is what people mean, a day at least."""
    unit = _DAYS[slots.unit]
    slack = max(1, unit // 2)
    first = today - dt.timedelta(days=slots.n * unit + slack)
    last = min(today, today - dt.timedelta(days=slots.n * unit - slack))
    return _days(first, (last - first).days + 1)
