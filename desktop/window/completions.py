"""What may follow where somebody types a filter: its word, or a value for it; pure functions."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from desktop import strings as s
from desktop.presentation import kinds
from desktop.wording.language import tr
from engine.contract.archives import HERE
from engine.contract.filters import FILTERS

#: The beginning of a filter before the caret: a colon alone offers all words for filters.
_BEGUN = re.compile(r'(?:^|(?<=[\s(]))-?(?P<key>[A-Za-z]*):(?P<value>"[^"]*|[^\s"]*)$')
MOST = 12
_SIZES = (">1MB", ">10MB", ">100MB", "<100kB")
_NUMBERS = {"pages": (">10", ">100"), "width": (">1920", ">3000"), "height": (">1080", ">2000")}
_DATE_KEYS = ("date", "before", "after", "taken")
_ENDINGS = "pdf docx xlsx pptx odt md txt png jpg csv json py js html epub eml"
_LANGUAGES = "python javascript typescript go rust java c cpp csharp ruby php shell sql kotlin"
#: Filters that take several values, with commas between them.
_LISTS = ("kind", "type", "ext", "lang")
#: The same as another word: offered once.
_OTHER_WORDS = ("type",)


@dataclass(frozen=True, slots=True)
class Completion:
    """Text to put in the place of [start, caret), and what it means."""

    text: str
    meaning: str
    start: int


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to choose from here."""

    folders: Sequence[str] = ()  # that are watched
    #: By the word of a filter what the index holds of it, and how many files.
    held: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    archives: Sequence[str] = ()  # names of those that are asked


def completions(text: str, caret: int, known: Known, today: dt.date) -> list[Completion]:
    """What may stand for the filter that is being typed before the caret; nothing where none is."""
    begun = _BEGUN.search(text[:caret])
    if begun is None:
        return []
    key, typed = begun["key"].lower(), begun["value"].lstrip('"').lower()
    if key not in FILTERS:
        if typed:
            return []
        without = _OTHER_WORDS if known.archives else {*_OTHER_WORDS, "archive"}
        words = (word for word in FILTERS if word.startswith(key) and word not in without)
        start = begun.start("key")
        return [Completion(f"{word}:", tr(meaning(word)), start) for word in words]
    # Of "pdf,no" the last value is what is being typed.
    first, _, last = typed.rpartition(",") if key in _LISTS else ("", "", typed)
    quoted = begun["value"].startswith('"')
    start = begun.start("value") if quoted else begun.end() - len(last)
    chosen = set(first.split(","))
    found = [
        Completion(_quoted(value), told, start)
        for value, told in _values(key, known, today).items()
        if value not in chosen and value.lower() != last and _fits(last, value, told)
    ]
    return found[:MOST]


def meaning(word: str) -> str:
    """What a filter asks for, in as few words as tell it."""
    return re.split("[:;]", FILTERS[word].help)[0]


def _fits(typed: str, value: str, told: str) -> bool:
    """By the beginning of the value, of a word of what it means, or of a folder's name."""
    words = (value, PurePath(value).name, *told.split())
    return any(word.lower().startswith(typed) for word in words)


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value


def _values(key: str, known: Known, today: dt.date) -> Mapping[str, str]:
    """Values of a filter, each with what it means where that is not plain."""
    if key in ("kind", "type"):
        return {row.id: row.plural for row in kinds.KINDS.values()}
    if key in _DATE_KEYS:
        years = {str(today.year - back): "" for back in range(4)}
        return {**s.DATES, f"{today:%Y-%m}": "", **years}
    if key == "archive":
        return {HERE: tr("this computer"), **dict.fromkeys(known.archives, "")}
    if key == "in":
        return dict.fromkeys(known.folders, "") | _held(known, "in")
    if known.held.get(key):
        return _held(known, key)
    if key == "ext":
        return dict.fromkeys(_ENDINGS.split(), "")
    if key == "lang":
        return dict.fromkeys(_LANGUAGES.split(), "")
    return dict.fromkeys(_SIZES if key == "size" else _NUMBERS.get(key, ()), "")


def _held(known: Known, key: str) -> dict[str, str]:
    """What the index holds, the commonest first, and how much of it."""
    held = known.held.get(key, {})
    return {value: s.files(held[value]) for value in sorted(held, key=lambda v: (-held[v], v))}


def completed(text: str, caret: int, chosen: Completion) -> tuple[str, int]:
    """The query with a completion put in, and where the caret is then: after a space, unless the
    value is still to be typed."""
    rest = text[caret:]
    put = chosen.text if chosen.text.endswith(":") else f"{chosen.text} "
    if put.endswith(" ") and rest.startswith(" "):
        rest = rest[1:]
    return text[: chosen.start] + put + rest, chosen.start + len(put)
