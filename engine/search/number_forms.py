"""Number forms: how else a number, a date, a telephone number or an account is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.store.analyzer import analyze
from engine.store.term_groups import Variant

#: What another way of writing the same counts.
REWRITTEN = 0.9
_SPACES = "   "
_NUMBER = re.compile(
    rf"""(?<![\w.,])(?:
      (?P<grouped>\d{{1,3}}(?:[{_SPACES}.,'’_]\d{{3}})+)(?:[.,](?P<part>\d+))?
      | (?P<digits>\d+)[.,](?P<decimals>\d+)
      | (?P<plain>\d{{4,}})
    )(?![\w]|[.,]\d)""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"""(?<![\w.])(?:(?P<y>\d{4})[-./](?P<m>\d{1,2})[-./](?P<d>\d{1,2})
      | (?P<d2>\d{1,2})[./-](?P<m2>\d{1,2})[./-](?P<y2>\d{4}))(?![\w]|[.]\d)""",
    re.VERBOSE,
)
#: Parts of letters and digits, of which the last ones have digits: +49 30 1234567, DE89 3704 0044.
_CODE = re.compile(rf"(?<!\w)\+?[A-Za-z]{{0,3}}\d+[A-Za-z]?(?:[{_SPACES}\-/.]+\w*\d\w*)*(?!\w)")
_CODE_DIGITS = 7  # fewer are a number
_FOURS = 4
_MONTHS = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
)


@dataclass(frozen=True, slots=True)
class Number:
    """Characters [start, end) of a question that are one number, and its other forms."""

    start: int
    end: int
    own: tuple[str, ...]  # its terms as they stand
    variants: tuple[Variant, ...]


def numbers(text: str) -> list[Number]:
    """The numbers of a question; no parts of others."""
    found = list(_all(text))
    return [n for n in found if not any(_inside(n, other) for other in found)]


def _inside(number: Number, other: Number) -> bool:
    within = other.start <= number.start and number.end <= other.end
    return within and (number.start, number.end) != (other.start, other.end)


def _all(text: str) -> Iterator[Number]:
    for match in _DATE.finditer(text):
        year = match["y"] or match["y2"]
        month, day = int(match["m"] or match["m2"]), int(match["d"] or match["d2"])
        if 1 <= month <= 12 and 1 <= day <= 31:
            yield _number(match, _dates(year, month, day))
    for match in _NUMBER.finditer(text):
        yield _number(match, _amounts(match))
    for match in _CODE.finditer(text):
        joined = re.sub(r"\W", "", match[0])
        if sum(c.isdigit() for c in joined) >= _CODE_DIGITS:
            fours = (joined[i : i + _FOURS] for i in range(0, len(joined), _FOURS))
            yield _number(match, [joined, " ".join(fours)])


def _number(match: re.Match[str], ways: Iterable[str]) -> Number:
    own = tuple(analyze(match[0]))
    # Of a telephone number what is dialled within a country or a town does by itself.
    dialled = [(t,) for t in own if len(t) >= _CODE_DIGITS and t.isdigit()]
    spelt = dict.fromkeys([*dialled, *(tuple(analyze(way)) for way in ways)])
    others = [terms for terms in spelt if terms and terms != own]
    variants = tuple(Variant(terms, REWRITTEN, len(terms) > 1) for terms in others)
    return Number(match.start(), match.end(), own, variants)


def _amounts(match: re.Match[str]) -> Iterator[str]:
    """A number with and without marks between thousands, with point and comma."""
    if match["grouped"] is None:
        whole, decimals = match["digits"] or match["plain"], match["decimals"] or ""
        yield from _written(whole, decimals)
        return
    groups = re.split(r"\D", match["grouped"])
    yield from _written("".join(groups), match["part"] or "")
    if len(groups) == 2 and not match["part"] and match["grouped"][len(groups[0])] in ".,":
        yield from _written(*groups)  # 1.234 may be a little more than one


def _written(whole: str, decimals: str) -> Iterator[str]:
    first = len(whole) % 3 or 3
    groups = [whole[:first], *(whole[i : i + 3] for i in range(first, len(whole), 3))]
    tail = f".{decimals}" if decimals else ""
    yield from (f"{separator.join(groups)}{tail}" for separator in ("", ",", " ", "_"))
    if len(groups) > 1 or decimals:
        comma = f",{decimals}" if decimals else ""
        yield from (f"{separator.join(groups)}{comma}" for separator in ("", ".", " "))


def _dates(year: str, month: int, day: int) -> Iterator[str]:
    yield f"{year}-{month:02}-{day:02}"
    yield f"{day:02}.{month:02}.{year}"
    yield f"{day}.{month}.{year}"
    yield f"{day:02}/{month:02}/{year}"
    yield f"{month:02}/{day:02}/{year}"
    for names in _MONTHS:
        yield f"{day} {names.split()[month - 1]} {year}"
