"""Numbers, sizes, times and days as the window's language writes them."""

from __future__ import annotations

import datetime as dt

from PySide6.QtCore import QDate, QLocale, QTime

from desktop.wording.language import locale, tr
from desktop.wording.language import plural as _n

#: How days are written, in Qt's letters: in which order, with which points.
_DAY = tr("d MMM")
DAY_OF_YEAR = tr("d MMM yyyy")
_LONG_DAY = tr("d MMMM yyyy")
_TIME = "HH:mm"


def number(count: int) -> str:
    """With the language's separators."""
    return locale().toString(count)


def decimal(value: float, digits: int) -> str:
    """A number with so many digits after the comma."""
    return locale().toString(value, "f", digits)


def size(count: int) -> str:
    """Bytes for people, in decimal units as file managers write them."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{decimal(value, int(unit != 'B' and value < 10))} {unit}"
        value /= 1000
    return f"{decimal(value, 1)} TB"


def duration(seconds: float) -> str:
    """A time still to wait, rounded as a person would say it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return tr("less than a minute")
    if minutes < 90:
        return _n("{n} minute", "{n} minutes", minutes).format(n=minutes)
    hours = round(minutes / 60)
    if hours < 36:
        return _n("{n} hour", "{n} hours", hours).format(n=hours)
    days = round(hours / 24)
    return _n("{n} day", "{n} days", days).format(n=days)


def running_time(seconds: float) -> str:
    """How long sound or a film lasts: 4:31, 1:02:03; "" of nothing."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if round(seconds) < 1:
        return ""
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def about(seconds: float) -> str:
    """A time that is only estimated."""
    known = duration(seconds)
    return known if seconds < 30 else tr("about {time}").format(time=known)


def left(seconds: float) -> str:
    return tr("{time} left").format(time=duration(seconds))


def short_date(mtime: float, now: dt.datetime | None = None) -> str:
    """14:05, Yesterday, Tuesday, 3 Mar, 3 Mar 2024: as short as it stays clear."""
    when = _moment(mtime)
    if mtime == 0 or when is None:
        return ""
    today = (now or dt.datetime.now()).date()
    days = (today - when.date()).days
    if days == 0:
        return locale().toString(_time(when), _TIME)
    if days == 1:
        return tr("Yesterday")
    if 1 < days < 7:
        return locale().standaloneDayName(when.isoweekday(), QLocale.FormatType.LongFormat)
    return locale().toString(_day(when), _DAY if when.year == today.year else DAY_OF_YEAR)


def day(date: QDate) -> str:
    """A day with its year."""
    return locale().toString(date, DAY_OF_YEAR)


def long_date(mtime: float) -> str:
    """Day and time in full."""
    when = _moment(mtime)
    if when is None:
        return ""
    return f"{locale().toString(_day(when), _LONG_DAY)}, {locale().toString(_time(when), _TIME)}"


def _moment(mtime: float) -> dt.datetime | None:
    """Local time; None for what no calendar has."""
    try:
        return dt.datetime.fromtimestamp(mtime)
    except (OverflowError, OSError, ValueError):
        return None


def _day(when: dt.datetime) -> QDate:
    return QDate(when.year, when.month, when.day)


def _time(when: dt.datetime) -> QTime:
    return QTime(when.hour, when.minute)
