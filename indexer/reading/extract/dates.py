"""Dates as cameras, programs and names of files write them, as seconds since the epoch."""

from __future__ import annotations

import datetime as dt
import re
import time

_STAMP = re.compile(
    r"\s*(?P<year>\d{4})[-:/.](?P<month>\d\d?)[-:/.](?P<day>\d\d?)"
    r"(?:[ T]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?)?"
    r"\s*(?P<zone>Z|[+-]\d\d:?\d\d)?[\s\0]*"
)
#: 20190704, 2019-07-04, 2019_07_04, 2019.07.04, then perhaps a time: 121500, 12.15.00, 1.15.00 PM.
_NAMED = re.compile(
    r"(?<!\d)(?P<year>19\d\d|20\d\d)(?P<between>[-_. ]?)(?P<month>0[1-9]|1[0-2])(?P=between)"
    r"(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?:(?:[-_.,T ]| at | um | à )*(?P<hour>[01]?\d|2[0-3])(?P<colon>[-_.:h]?)"
    r"(?P<minute>[0-5]\d)(?:(?P=colon)(?P<second>[0-5]\d)(?:[._]?\d{3})?)?(?!\d)"
    r"\s*(?P<half>[AP]M\b)?|(?!\d))",
    re.IGNORECASE,
)
#: Milliseconds since the epoch, as programs of telephones name what they save; from 2001 on.
_MILLISECONDS = re.compile(r"(?<!\d)1\d{12}(?!\d)")
_IN_UTC = re.compile(r"PXL_", re.IGNORECASE)
_DAY = 86_400


def moment(text: str, zone: str = "") -> float | None:
    """A stamp of EXIF, XMP or a tag; None if it is none. `zone` (+02:00) is that of one that does
    not say its own; without any it is this machine's. A day is told as its noon."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    said = found["zone"] or (zone.strip("\0 ") if found["hour"] else "")
    clock = (int(found["hour"] or 12), int(found["minute"] or 0), int(found["second"] or 0))
    return _seconds(found, clock, said)


def moment_of_name(stem: str) -> float | None:
    """The date in a file's name (IMG_20190704_121500, 2019-07-04 12.15.00); None without one, and
    of days that are still to come."""
    for found in _NAMED.finditer(stem):
        clock = (12, 0, 0)
        if found["hour"]:
            hour = int(found["hour"])
            if half := (found["half"] or "").upper():
                hour = hour % 12 + 12 * (half == "PM")
            clock = (hour, int(found["minute"]), int(found["second"] or 0))
        seconds = _seconds(found, clock, "Z" if _IN_UTC.match(stem) and found["hour"] else "")
        if seconds is not None and seconds < time.time() + _DAY:
            return seconds
    if milliseconds := _MILLISECONDS.search(stem):
        seconds = int(milliseconds[0]) / 1000
        return seconds if seconds < time.time() + _DAY else None
    return None


def _seconds(found: re.Match[str], clock: tuple[int, int, int], zone: str) -> float | None:
    try:
        when = dt.datetime(int(found["year"]), int(found["month"]), int(found["day"]), *clock)
        if zone:
            return dt.datetime.fromisoformat(f"{when.isoformat()}{zone}").timestamp()
        return when.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
