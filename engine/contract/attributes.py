"""Attributes that only some files have: one row each, and all that holds or asks for it follows.

From a row come the ledger's and the store's column, the filter and the word that people type for
it, the field of a hit in the API, and the line in the documentation. An extractor sets it by name
in `Extraction.attributes`; a file without it has no value, which no range contains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Value: TypeAlias = float | str
#: How values are compared: "time" (seconds since the epoch, typed as a date), "number", "text"
#: (folded to lower case, equal or not; of some rows it is enough to hold what was typed).
ValueType = Literal["time", "number", "text"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a file."""

    name: str  # column, key of Extraction.attributes, field in the API; letters and underscores
    word: str  # in a query, `word:value`
    type: ValueType
    help: str  # for the table of filters
    example: str  # a query with it
    part: bool = False  # of a text: one that holds what was typed meets the filter, too

    def accept(self, value: object) -> Value | None:
        """A value as it is stored, from what an extractor says; None if it can't be one."""
        if self.type == "text":
            return value.strip().lower() or None if isinstance(value, str) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        number = float(value)
        return number if abs(number) < 1e15 else None  # NaN and infinity, too


ATTRIBUTES: dict[str, Attribute] = {
    row.name: row
    for row in (
        Attribute(
            "taken",
            "taken",
            "time",
            "when a photograph, film or recording was made, by its own data or its name",
            "taken:2019",
        ),
        Attribute(
            "camera",
            "camera",
            "text",
            "what a photograph was taken with, or a part of that",
            "camera:pixel",
            part=True,
        ),
        Attribute(
            "lens",
            "lens",
            "text",
            "the lens of that camera, or a part of its name",
            "lens:macro",
            part=True,
        ),
        Attribute(
            "place",
            "place",
            "text",
            "where a photograph was taken: town, state or country, or a part of its name",
            "place:lisbon",
            part=True,
        ),
        Attribute("pages", "pages", "number", "how many pages or slides it has", "pages:>100"),
        Attribute("width", "width", "number", "a picture's width in pixels", "width:>3000"),
        Attribute("height", "height", "number", "a picture's height in pixels", "height:1080"),
        Attribute("seconds", "seconds", "number", "how long sound or a film lasts", "seconds:>600"),
    )
}


def accepted(values: Mapping[str, object]) -> dict[str, Value]:
    """What is known and well formed of an extractor's values, by name."""
    checked = {name: ATTRIBUTES[name].accept(v) for name, v in values.items() if name in ATTRIBUTES}
    return {name: value for name, value in checked.items() if value is not None}
