"""The codec: what scripts rely on in the JSON, and that it comes back as it went."""

from __future__ import annotations

import json
import os

import pytest

from engine.contract.codec import decode, encode, from_data, to_data
from engine.contract.types import (
    Answer,
    AttributeFilter,
    BoxEvidence,
    Coverage,
    Filters,
    Hit,
    Location,
    Place,
    Reading,
    TextEvidence,
)

LATIN = os.fsdecode(b"/home/ada/caf\xe9.pdf")  # a name that is not UTF-8
HIT = Hit(
    LATIN, "pdf", None, 0.75, "café", "the deposit", Location(page=3),
    (TextEvidence(4, 11, "deposit"), BoxEvidence((0.1, 0.2, 0.5, 0.25), 3, "deposit")),
    ("text", "late"), 1e9, 2048, {"pages": 12.0},
    (Place(Location(lines=(3, 9), symbol="f"), "more", 0.5),), True,
)  # fmt: skip
ANSWER = Answer(
    (HIT,), "fused", 12.5, True, True, Coverage(9, 3, 6, False, "6 of 9 …"),
    (Reading("last week", "date:7d"),), "weak",
)  # fmt: skip


def test_an_answer_comes_back_as_it_went() -> None:
    line = encode(ANSWER)
    assert b"\n" not in line
    assert line.isascii()
    assert decode(line, Answer) == ANSWER


def test_scripts_find_the_keys_they_know() -> None:
    data = json.loads(encode(ANSWER))
    known = {"hits", "stage", "took_ms", "weak", "loose", "coverage", "read", "given_up"}
    known |= {"spelling", "pattern_relaxed", "picture_words", "matches", "notices", "statistics"}
    assert data.keys() == known
    assert data["read"] == [{"words": "last week", "filter": "date:7d"}]
    (hit,) = data["hits"]
    assert hit["location"] == {"page": 3}, "what a place lacks is left out"
    assert hit["more"][0]["location"] == {"lines": [3, 9], "symbol": "f"}
    assert hit["evidence"] == [
        {"type": "text", "start": 4, "end": 11, "word": "deposit"},
        {"type": "box", "box": [0.1, 0.2, 0.5, 0.25], "page": 3, "word": "deposit"},
    ]
    assert hit["path"] == LATIN
    empty = to_data(Hit("/a"))
    assert {"kind", "picture", "score", "title", "snippet", "evidence", "lanes", "more"} <= set(
        empty
    )
    assert {"mtime", "size", "offline", "attributes"} <= set(empty)


def test_what_another_version_adds_or_lacks_does_no_harm() -> None:
    read = from_data({"hits": [{"path": "/a", "future": 1}], "news": []}, Answer)
    assert read == Answer((Hit("/a"),))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"hits": [{}]}, {"hits": 3}, {"hits": [{"path": "/a", "evidence": [{"type": "?"}]}]}],
)
def test_what_is_no_answer_is_an_error_that_says_where(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"Object|Expected|Invalid"):
        from_data(wrong, Answer)


def test_filters_of_the_api_are_read_with_their_attributes() -> None:
    given = {"kinds": ["pdf"], "after": 5, "attributes": [{"name": "pages", "low": 10}]}
    wanted = Filters(kinds=("pdf",), after=5.0, attributes=(AttributeFilter("pages", 10.0),))
    assert from_data(given, Filters) == wanted
    with pytest.raises(ValueError, match="kinds"):
        from_data({"kinds": "pdf"}, Filters)
