"""The table of attributes: what a row promises, and that the rest follows from it."""

from __future__ import annotations

import datetime as dt
import math
import re

import pytest

from engine.contract.attributes import ATTRIBUTES, accepted
from engine.contract.filters import FILTER_KEYS
from engine.contract.query import parse
from engine.contract.types import AttributeFilter, FileFacts, Filters, Hit


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_a_row_is_whole(name: str) -> None:
    row = ATTRIBUTES[name]
    assert row.name == name
    assert re.fullmatch(r"[a-z_]+", row.name), "it is a column"
    assert row.name not in FileFacts.__dataclass_fields__
    assert row.word in FILTER_KEYS
    query = parse(f"{row.example} words")
    assert query.text == "words", "its example is a filter"
    assert [demand.name for demand in query.filters.attributes] == [name]
    assert "attributes" in Hit.__struct_fields__


def attribute(text: str) -> AttributeFilter:
    (demand,) = parse(text).filters.attributes
    return demand


def test_values_are_typed_as_their_type_says() -> None:
    assert attribute("pages:10..20") == AttributeFilter("pages", 10.0, 20.0)
    assert attribute("pages:>=10") == AttributeFilter("pages", 10.0, None)
    assert attribute("-pages:<=10") == AttributeFilter("pages", None, 10.0, negated=True)
    more = attribute("pages:>10").low
    assert more is not None
    assert 10 < more < 10.000001
    start, end = (dt.datetime(year, 1, 1).timestamp() for year in (2019, 2020))
    assert attribute("taken:2019") == AttributeFilter("taken", start, end)
    assert attribute("taken:2019..").high is None


@pytest.mark.parametrize("text", ["pages:many", "pages:", "taken:soon", "pages:1..x", "pages:.."])
def test_what_is_no_value_stays_text(text: str) -> None:
    query = parse(text)
    assert query.filters == Filters()
    assert query.text == text


def test_the_date_of_a_hit_is_that_of_what_is_seen() -> None:
    assert Hit("/a", mtime=5.0).date == 5.0
    assert Hit("/a", mtime=5.0, attributes={"taken": -3.0}).date == -3.0


def test_only_what_is_known_and_well_formed_is_kept() -> None:
    given = {"taken": 5, "pages": math.nan, "width": "wide", "height": True, "colour": "red"}
    assert accepted(given) == {"taken": 5.0}
    assert accepted({"width": math.inf, "height": None}) == {}
