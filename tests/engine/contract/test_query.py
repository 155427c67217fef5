"""The query language: what is a filter, what stays text."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from engine.contract.filters import FILTERS
from engine.contract.query import parse
from engine.contract.types import Filters

NOW = dt.datetime(2026, 3, 14, 15, 9).timestamp()


def day(*parts: int) -> float:
    return dt.datetime(*parts).timestamp()  # type: ignore[arg-type]


def test_plain_words_stay_text() -> None:
    query = parse("  the diagram with  two queues ")
    assert query.text == "the diagram with two queues"
    assert query.filters == Filters()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("kind:screenshot", Filters(kinds=("screenshot",))),
        ("kind:Screenshots,pdf", Filters(kinds=("screenshot", "pdf"))),
        ("-kind:code", Filters(not_kinds=("code",))),
        ("ext:.PNG ext:jpg", Filters(exts=("png", "jpg"))),
        ('in:"My Documents"', Filters(folders=("My Documents",))),
        ("in:/a/b/ in:/c", Filters(folders=("/a/b", "/c"))),
        ("-in:old", Filters(not_folders=("old",))),
        ("lang:de", Filters(languages=("de",))),
        ("after:2024", Filters(after=day(2024, 1, 1))),
        ("before:2024-05", Filters(before=day(2024, 5, 1))),
        ("date:2024-12", Filters(after=day(2024, 12, 1), before=day(2025, 1, 1))),
        ("date:2024-02-29", Filters(after=day(2024, 2, 29), before=day(2024, 3, 1))),
        ("date:today", Filters(after=day(2026, 3, 14), before=day(2026, 3, 15))),
        ("date:7d", Filters(after=day(2026, 3, 7), before=day(2026, 3, 15))),
        ("after:7d", Filters(after=day(2026, 3, 7))),
        ("date:2023..2024-03", Filters(after=day(2023, 1, 1), before=day(2024, 4, 1))),
        ("after:2020 after:2022", Filters(after=day(2022, 1, 1))),
        ("size:>1.5MB", Filters(min_size=1_500_000)),
        ("size:<10k", Filters(max_size=10_000)),
        ("size:1M..2M", Filters(min_size=1_000_000, max_size=2_000_000)),
    ],
)
def test_filters(raw: str, expected: Filters) -> None:
    query = parse(f"{raw} words", now=NOW)
    assert query.filters == expected
    assert query.text == "words"


@pytest.mark.parametrize(
    "raw",
    [
        "kind:unicorn",
        "before:soon",
        "size:big",
        "http://a.b/c",
        "std::vector",
        "foo:bar",
        "a-b",
        "date:2024-13",
        "after:99999999y",
        "date:..",
        "-",
        "--flag",
        "kind:",
    ],
)
def test_what_is_no_filter_stays_text(raw: str) -> None:
    query = parse(raw, now=NOW)
    assert query.text == raw
    assert query.filters == Filters()
    assert not query.excluded


def test_phrases_and_exclusions() -> None:
    query = parse('retry "exact  phrase" -draft -"not this"')
    assert query.phrases == ("exact phrase",)
    assert query.excluded == ("draft", "not this")
    assert query.text == "retry exact phrase"
    assert parse('the page "First post" in the editor').text == "the page First post in the editor"


@pytest.mark.parametrize("raw", ["", '"', '""', '-""', "\x00", "\ud800", 'kind:""', "🙂" * 5000])
def test_odd_input_never_fails(raw: str) -> None:
    assert parse(raw).raw == raw


@pytest.mark.parametrize("word", sorted(FILTERS))
def test_every_filter_has_an_example_that_is_one(word: str) -> None:
    row = FILTERS[word]
    query = parse(f"{row.example} words")
    assert query.text == "words"
    assert query.filters != Filters()
    assert row.help


def test_the_readme_tells_of_every_filter_format_and_model() -> None:
    readme = Path(__file__).parents[3] / "README.md"
    code = (
        "import resources.setup.write_tables as t;"
        " print(t.filters_table()); print(t.formats_table()); print(t.models_table())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=readme.parent, capture_output=True, text=True, check=True
    )
    for table in done.stdout.split("\n\n"):
        assert table.strip() in readme.read_text(encoding="utf-8"), "run make tables"


@pytest.mark.parametrize(
    ("typed", "text", "names", "not_names"),
    [
        ("lea*.txt", "", ("lea*.txt",), ()),
        ("*.pdf *.docx", "", ("*.pdf", "*.docx"), ()),
        ("budget *.xlsx", "budget", ("*.xlsx",), ()),
        ("-*.log report", "report", (), ("*.log",)),
        ("IMG_20??.jpg", "", ("IMG_20??.jpg",), ()),
        ("report*", "", ("report*",), ()),
        ("kind:pdf rep*", "", ("rep*",), ()),
        ("name:lea*", "", ("lea*",), ()),
        ("name:lease", "", ("*lease*",), ()),
        ('name:"my file*"', "", ("my file*",), ()),
        ("-name:draft", "", (), ("*draft*",)),
        # No wildcards: questions, emphasis, code, a wildcard that is a word of a sentence.
        ("where is my lease?", "where is my lease?", (), ()),
        ("lease?", "lease?", (), ()),
        ("what does *args do", "what does *args do", (), ()),
        ("**kwargs", "**kwargs", (), ()),
        ("SELECT * FROM t", "SELECT * FROM t", (), ()),
        ("*", "*", (), ()),
        ("a?b=c", "a?b=c", (), ()),
        ("http://x.org/?q", "http://x.org/?q", (), ()),
        ('"lea*.txt"', "lea*.txt", (), ()),
    ],
)
def test_wildcards_are_demands_on_names(
    typed: str, text: str, names: tuple[str, ...], not_names: tuple[str, ...]
) -> None:
    query = parse(typed)
    assert (query.text, query.filters.names, query.filters.not_names) == (text, names, not_names)
