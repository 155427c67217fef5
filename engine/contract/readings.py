"""Readings: words of a question that mean a filter, told by where they stand and what joins them.

Conservative, since a word read as a filter asks no more: "march of the penguins" and "pdf parser"
are words. A date is read at the end, a kind of file at the beginning; each reading can be taken
back (engine.contract.query).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from engine.contract.folding import plain
from engine.contract.reading_words import LANGUAGES, Language
from engine.contract.spoken_dates import Period, Slots, period

#: "recent", as a filter: what systems keep in their own lists of recent files.
RECENT = "after:30d"
#: Why readings were given up (`Answer.given_up`), for a person.
GIVEN_UP: Mapping[str, str] = {
    "name": "A file is called so: these are words.",
    "nothing": "No file meets them: these are words.",
    "weak": "Nothing that meets them answers: these are words.",
}
#: Pieces of the longest phrase in the tables, dates aside.
_LONGEST = 4
_STOPS = ".,;:!?…"
_ELIDED = re.compile(r"(?:d|l)'(?=\w)")
_YEAR = re.compile(r"\d{4}")

Words = tuple[str, ...]
Role = Literal["since", "before", "until", "source", "within", "of", ""]
_ROLES: tuple[Role, ...] = ("since", "before", "until", "source", "within", "of")


class Spot(NamedTuple):
    """Words that are read as a filter: places in the sequence given, end exclusive."""

    start: int
    end: int
    filter: str


class _Piece(NamedTuple):
    """A word, or its part before or after an apostrophe, folded."""

    text: str  # "" for what can't be read
    word: int  # place of the word it is of
    stop: bool  # a comma or colon follows


def read_words(words: Sequence[str | None], today: dt.date) -> list[Spot]:
    """What of these words means a filter, in their order; None stands for what is no free word.

    Of several languages the one that reads most; of equals the first.
    """
    pieces = [piece for place, word in enumerate(words) for piece in _pieces(word, place)]
    if not pieces:
        return []
    asks = bool(words) and (words[-1] or "").endswith("?")
    found = [_Reader(grammar, pieces, today, asks).read() for grammar in _grammars()]
    best = max(found, key=lambda spots: sum(spot.end - spot.start for spot in spots))
    spots = [_of_words(spot, pieces) for spot in best]
    return [spot for spot in spots if spot.start < spot.end]


def _pieces(word: str | None, place: int) -> Iterable[_Piece]:
    if word is None:
        return [_Piece("", place, False)]
    folded = plain(word).replace("’", "'")
    bare = folded.rstrip(_STOPS)
    parts = [bare]
    if elided := _ELIDED.match(bare):
        parts = [bare[: elided.end()], bare[elided.end() :]]
    elif bare.endswith("'s") and len(bare) > 2:
        parts = [bare[:-2], "'s"]
    stop = folded[len(bare) :][:1] in (",", ":")
    return [_Piece(part, place, stop and part is parts[-1]) for part in parts]


def _of_words(spot: Spot, pieces: Sequence[_Piece]) -> Spot:
    """The same, counted in words; of "d'Anna" no part is taken."""
    words = [piece.word for piece in pieces]
    start, end = words[spot.start], words[spot.end - 1] + 1
    if spot.start and words[spot.start - 1] == start:
        return Spot(0, 0, "")
    return Spot(start, end - (words[spot.end : spot.end + 1] == [end - 1]), spot.filter)


def _split(phrase: str) -> Words:
    return tuple(piece.text for word in phrase.split() for piece in _pieces(word, 0))


class _Grammar:
    """A language's table as sequences of pieces."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.nouns: dict[Words, tuple[str, bool]] = {}
        for noun in language.nouns:
            self.nouns.update((_split(w), (noun.filter, False)) for w in noun.unsure)
            self.nouns.update((_split(w), (noun.filter, True)) for w in noun.sure)
        self.about, self.joins, self.beside = map(
            _set, (language.about, language.joins, language.beside)
        )
        self.wishes, self.articles = _set(language.wishes), _set(language.articles)
        self.recent, self.unsourced = _set(language.recent), _set(language.unsourced)
        dates = [(_split(pattern), rule) for pattern, rule in language.dates]
        self.dates = sorted(dates, key=lambda date: -len(date[0]))
        self.roles: dict[Words, Role] = {}
        for role in reversed(_ROLES):
            self.roles.update((_split(w), role) for w in getattr(language, role))
        self.slots: Mapping[str, Mapping[str, int | str]] = {
            "{n}": _numbered(language.numbers, 1),
            "{unit}": {plain(w): unit for unit, row in language.units.items() for w in row},
            "{weekday}": _numbered(language.weekdays, 0),
            "{month}": _numbered(language.months, 1),
        }


@cache
def _grammars() -> tuple[_Grammar, ...]:
    return tuple(map(_Grammar, LANGUAGES.values()))


@cache
def _all_asks() -> frozenset[Words]:
    """Of all languages: "en 2019" is French and Spanish, and so is the question it ends."""
    return frozenset[Words]().union(*(_set(language.asks) for language in LANGUAGES.values()))


@cache
def _all_calendars() -> frozenset[Words]:
    return frozenset[Words]().union(*(_set(language.calendar) for language in LANGUAGES.values()))


def _set(phrases: Iterable[str]) -> frozenset[Words]:
    return frozenset(map(_split, phrases))


def _numbered(rows: Iterable[Iterable[str]], first: int) -> Mapping[str, int]:
    return {plain(word): n for n, row in enumerate(rows, first) for word in row}


@dataclass(frozen=True, slots=True)
class _Date:
    """A date that was found."""

    start: int
    end: int
    days: Period
    role: Role
    year: bool = False  # whether it was named

    @property
    def spot(self) -> Spot:
        days = self.days
        within = days.within
        if self.year:  # a budget of 2024 is changed the year before and after; its name says it
            within = f"({within} OR name:{days.value})"
        said = {"since": days.since, "before": days.before, "until": days.until}
        return Spot(self.start, self.end, said.get(self.role, within))


class _Reader:
    """Reads one question in one language; places are those of pieces."""

    def __init__(
        self, grammar: _Grammar, pieces: Sequence[_Piece], today: dt.date, asks: bool
    ) -> None:
        self._grammar, self._today = grammar, today
        self._pieces = pieces
        self._texts = tuple(piece.text for piece in pieces)
        self._end = len(pieces)
        self._asks = asks or self._longest(_all_asks(), 0) > 0

    def read(self) -> list[Spot]:
        first = self._first_date()
        begin = 0 if first is None else first.end
        last = self._last_date(begin) if first is None else None
        end = self._end if last is None else last.start
        kind = self._kind(begin, end, dated=bool(first or last))
        dates = [date.spot for date in (first, last) if date is not None]
        return sorted(kind + dates)

    # Looking for words

    def _longest(self, phrases: Iterable[Words] | Mapping[Words, object], at: int) -> int:
        """Pieces of the longest of these phrases that stands at a place; 0: none does."""
        most = min(_LONGEST, self._end - at)
        return next((n for n in range(most, 0, -1) if self._texts[at : at + n] in phrases), 0)

    def _slots(self, pattern: Words, at: int) -> Slots | None:
        """What fills a pattern's slots at a place; None where something else stands there."""
        texts = self._texts[at : at + len(pattern)]
        if len(texts) < len(pattern) or not (pattern[-1] == texts[-1] or pattern[-1][0] == "{"):
            return None
        filled: dict[str, int | str] = {}
        for wanted, text in zip(pattern, texts, strict=True):
            if not wanted.startswith("{"):
                if wanted != text:
                    return None
            elif (value := self._fill(wanted, text)) is None:
                return None
            else:
                filled[wanted[1:-1]] = value
        return Slots(**filled)  # type: ignore[arg-type]

    def _fill(self, slot: str, text: str) -> int | str | None:
        if slot == "{year}":
            return int(text) if _YEAR.fullmatch(text) and text.isascii() else None
        if slot == "{n}" and text.isascii() and text.isdigit() and len(text) < 4:
            return int(text) or None
        return self._grammar.slots[slot].get(text)

    # Dates

    def _last_date(self, begin: int) -> _Date | None:
        """The longest date that ends the question, with what joins it."""
        best: _Date | None = None
        # Long patterns first: "antes de ayer" is a day, not what was before yesterday.
        for pattern, rule in self._grammar.dates:
            at = self._end - len(pattern)
            if at < begin or (slots := self._slots(pattern, at)) is None:
                continue
            days = period(rule, slots, self._today, self._grammar.language)
            if days is None:
                continue
            for start in range(max(begin, at - 3), at + 1):
                role = self._grammar.roles.get(self._texts[start:at], "" if start == at else None)
                if role is None:
                    continue
                better = best is None or start < best.start
                if better and self._is_meant(rule, slots, role, start, at):
                    best = _Date(start, self._end, days, role, bool(slots.year))
                break  # what joins it decides, not a part of that
        return best

    def _is_meant(self, rule: str, slots: Slots, role: Role, start: int, at: int) -> bool:
        """Whether a date is when the file was changed, rather than what is in it."""
        grammar = self._grammar
        before = self._texts[max(0, start - 1) : start]
        if before in _all_calendars():
            return False  # "first day of last month"
        strong = role in ("since", "before", "until", "source")
        if self._asks and not strong:
            return False
        if rule == "month" and before and before[0][:1].isdigit():
            return False  # "8 de marzo"
        if rule == "month" and role == "source" and not slots.year:
            return self._texts[at : at + 1] not in grammar.unsourced
        if rule in ("month", "year"):
            return role not in ("", "of")
        if role or not rule.startswith("day") or start == 0:
            return True
        telling = [text for text in self._texts[:start] if (text,) not in grammar.articles]
        return len(telling) > 1 or bool(self._kind(0, start, dated=True))  # "usa today"

    def _first_date(self) -> _Date | None:
        """ "yesterday's screenshots", "from last week: invoices"."""
        grammar = self._grammar
        best: _Date | None = None
        for start in range(4):
            role = grammar.roles.get(self._texts[:start], "" if start == 0 else None)
            if role is None or role in ("within", "of"):
                continue
            for pattern, rule in grammar.dates:
                if rule in ("month", "year") or (slots := self._slots(pattern, start)) is None:
                    continue
                end = start + len(pattern)
                days = period(rule, slots, self._today, grammar.language)
                if days is None or end >= self._end:
                    continue
                if role == "":
                    if self._texts[end] != grammar.language.owner:
                        continue
                    end += 1
                followed = bool(self._kind(end, self._end, dated=True))
                if not followed and not (role and self._pieces[end - 1].stop):
                    continue
                if best is None or end > best.end:
                    best = _Date(0, end, days, role)
        return best

    # Kinds

    def _kind(self, begin: int, end: int, *, dated: bool) -> list[Spot]:
        """The kind of file that the words from `begin` on ask for, and "recent" beside it."""
        grammar = self._grammar
        at = begin + self._longest(grammar.wishes, begin)
        definite = False
        while length := self._longest(grammar.articles, at):
            at, definite = at + length, True
        spots: list[Spot] = []
        if recent := self._longest(grammar.recent, at):
            spots.append(Spot(begin, at + recent, RECENT))
            begin = at = at + recent
        length = self._longest(grammar.nouns, at)
        if not length or at + length > end:
            return []
        wanted, sure = grammar.nouns[self._texts[at : at + length]]
        at += length
        if not recent and (recent := self._longest(grammar.recent, at)):
            spots.append(Spot(at, at + recent, RECENT))
            spots.append(Spot(begin, at, wanted))
            begin = at = at + recent
        if at == end:
            joined = 0 if recent or dated else None
        else:
            joined = self._joined(at, end, sure, definite or dated or bool(recent))
        if joined is None:
            return []
        if len(spots) == 2:  # "captures récentes de": what joins goes with the last word
            spots[0] = Spot(begin - recent, at + joined, RECENT)
        else:
            spots.append(Spot(begin, at + joined, wanted))
        return sorted(spots)

    def _joined(self, at: int, end: int, sure: bool, definite: bool) -> int | None:
        """Pieces that join a noun to what is in the file; None where nothing does."""
        grammar = self._grammar
        joins = [grammar.about]
        if sure or definite:
            joins.append(grammar.joins)
        if definite:
            joins.append(grammar.beside)
        length = max(self._longest(phrases, at) for phrases in joins)
        return length if length and at + length < end else None
