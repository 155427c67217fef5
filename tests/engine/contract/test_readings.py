"""Words that mean a filter: what is read as one, what stays words, and taking it back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.filters import FILTERS
from engine.contract.query import parse
from engine.contract.reading_words import LANGUAGES
from engine.contract.readings import RECENT
from engine.contract.types import Filters
from tests.engine.contract.wordings import READ, WORDS

#: A Saturday.
NOW = dt.datetime(2026, 3, 14, 15, 9).timestamp()


@pytest.mark.parametrize(("typed", "text", "filters"), READ, ids=[row[0] for row in READ])
def test_read_as_filters(typed: str, text: str, filters: str) -> None:
    query = parse(typed, now=NOW)
    assert " ".join(reading.filter for reading in query.read) == filters
    assert query.text == text
    assert query.filters == parse(filters, now=NOW).filters, "what is shown is what filters"
    assert all(reading.words in typed for reading in query.read)


@pytest.mark.parametrize("typed", WORDS)
def test_not_read(typed: str) -> None:
    query = parse(typed, now=NOW)
    assert query.read == ()
    assert query.unread is None
    assert query == parse(typed, now=NOW, plain=True)


@pytest.mark.parametrize("typed", [row[0] for row in READ])
def test_a_reading_can_be_taken_back(typed: str) -> None:
    read = parse(typed, now=NOW)
    words = parse(typed, now=NOW, plain=True)
    assert read.unread == words
    assert words.read == ()
    assert words.filters == parse(" ".join(_filters_of(typed)), now=NOW).filters
    taken_back = parse(typed, now=NOW, plain=[reading.words for reading in read.read])
    assert taken_back == words
    for reading in read.read:
        less = parse(typed, now=NOW, plain=[f" {reading.words.upper()} "])
        assert reading not in less.read
        assert set(reading.words.rstrip(".?,:").split()) <= {
            w.rstrip(".?,:") for w in typed.split()
        }
        quoted = parse(typed.replace(reading.words, f'"{reading.words}"'), now=NOW)
        assert reading.words not in [other.words for other in quoted.read]


def _filters_of(typed: str) -> list[str]:
    return [word for word in typed.split() if word.partition(":")[0] in FILTERS]


def test_one_reading_of_two_can_be_taken_back() -> None:
    both = parse("screenshots of the login page from last week", now=NOW)
    assert [reading.words for reading in both.read] == ["screenshots of", "from last week"]
    one = parse("screenshots of the login page from last week", now=NOW, plain=["screenshots of"])
    assert one.text == "screenshots of the login page"
    assert [reading.filter for reading in one.read] == ["date:2026-03-01..2026-03-08"]
    assert one.filters.kinds == ()


def test_what_would_be_left_empty_is_read_where_it_can_only_be_a_wish_for_files() -> None:
    assert parse("yesterday", now=NOW).text == "yesterday"
    assert parse("last week", now=NOW).text == "last week"
    assert parse("screenshots", now=NOW).text == "screenshots"
    assert parse("screenshots yesterday", now=NOW).text == ""
    assert parse("kind:pdf last week", now=NOW).filters.after is not None
    assert parse("last week", image="/a.png", now=NOW).filters.after is not None


def test_a_pasted_text_is_words() -> None:
    told = "The committee met to hear the report of the treasurer on the accounts and decided "
    assert parse(f"{told * 3} from last week", now=NOW).read == ()
    assert parse("the report of the treasurer from last week", now=NOW).read


def test_filters_beside_do_not_hinder() -> None:
    query = parse("screenshots of in:Work the login page ext:png from yesterday", now=NOW)
    assert query.text == "the login page"
    assert query.filters.folders == ("Work",)
    assert query.filters.exts == ("png",)
    assert query.filters.kinds == ("screenshot",)
    assert query.filters.after is not None
    assert parse("invoice last kind:pdf week", now=NOW).read == ()


def test_readings_beside_or_and_quotations() -> None:
    query = parse("invoice OR receipt from last week", now=NOW)
    assert [reading.words for reading in query.read] == ["from last week"]
    assert [other.text for other in query.alternatives] == ["invoice", "receipt"]
    assert all(other.filters.after is not None for other in query.alternatives)
    query = parse('photos of "exact words" in march', now=NOW)
    assert query.phrases == ("exact words",)
    assert query.read[0].filter == "kind:image"
    assert parse('"screenshots of the login page"', now=NOW).read == ()
    assert parse("(screenshots of the login page)", now=NOW).read == ()
    assert parse("-screenshots of the login page", now=NOW).read == ()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_row_of_the_tables_can_be_read(code: str) -> None:
    """Each noun and each date of each language in a question of its own."""
    language = LANGUAGES[code]
    for noun in language.nouns:
        assert parse(noun.filter).text == "", "a filter"
        assert parse(noun.filter).filters != Filters()
        for word in (*noun.sure, *noun.unsure):
            query = parse(f"{word} {language.about[0]} pelikan", now=NOW)
            assert [reading.filter for reading in query.read] == [noun.filter], word
            assert query.text == "pelikan"
    filled = {
        "{n}": language.numbers[2][0], "{unit}": language.units["w"][-1], "{year}": "2024",
        "{weekday}": language.weekdays[1][0], "{month}": language.months[9][0],
    }  # fmt: skip
    for pattern, rule in language.dates:
        spoken = " ".join(filled.get(word, word) for word in pattern.split())
        joined = f"{language.since[0]} " if rule in ("month", "year") else ""
        query = parse(f"pelikan nest {joined}{spoken}", now=NOW)
        assert query.text == "pelikan nest", spoken
        assert query.filters.after is not None
    assert all(row in language.months for row in language.months)
    assert len(language.months) == 12
    assert len(language.weekdays) == 7
    assert set(language.units) == {"d", "w", "m", "y"}
    assert parse(RECENT).filters.after is not None


@pytest.mark.parametrize("day", [dt.date(2024, 2, 29), dt.date(2025, 12, 31), dt.date(2026, 1, 1)])
def test_dates_at_the_edges_of_the_calendar(day: dt.date) -> None:
    now = dt.datetime(day.year, day.month, day.day, 12).timestamp()
    for said in (
        "last month",
        "in december",
        "in january",
        "12 months ago",
        "last year",
        "999 years ago",
    ):
        query = parse(f"boiler manual {said}", now=now)
        if query.read:
            f = query.filters
            assert f.after is not None
            assert f.before is None or f.after < f.before
            assert f.after <= now
    last_month = {2: "2024-01", 12: "2025-11", 1: "2025-12"}[day.month]
    assert parse("boiler last month", now=now).read[0].filter == f"date:{last_month}"
    assert parse("boiler manual 999 years ago", now=now).read[0].filter.startswith("date:1")
    assert parse("boiler manual in 2031", now=now).read == ()


_said = st.sampled_from(
    [word for row in (*READ,) for word in row[0].split()]
    + [word for typed in WORDS for word in typed.split()]
    + ["OR", "|", "(", ")", "-(", '"', "kind:pdf", "-draft", "d'", "'s", "l’", "\x00", "\ud800"]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.lists(_said, max_size=12).map(" ".join), st.text(max_size=40)))
def test_no_reading_is_silent_or_for_good(typed: str) -> None:
    query = parse(typed, now=NOW)
    words = parse(typed, now=NOW, plain=True)
    assert words.read == ()
    assert words.unread is None
    if not query.read:
        assert query == words
        return
    assert query.unread == words
    assert all(reading.words and reading.words in typed for reading in query.read)
    assert parse(typed, now=NOW, plain=[reading.words for reading in query.read]) == words
    # What is not read is left: the words that are gone are those that are shown.
    shown = [word for reading in query.read for word in reading.words.split()]
    if not words.alternatives:
        assert sorted([*query.text.split(), *shown]) == sorted(
            [*words.text.split(), *[w for w in shown if w not in words.text.split()]]
        )
