"""OR, parentheses and minus: what they join, and that odd input stays text."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.contract.query import MOST_ALTERNATIVES, parse
from engine.contract.query_grammar import MOST_QUESTIONS, form_of, questions
from engine.contract.types import Filters, Query

NOW = dt.datetime(2026, 3, 14, 15, 9).timestamp()


def asked(typed: str) -> list[Query]:
    query = parse(typed, now=NOW)
    return list(query.alternatives or (query,))


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ("invoice OR receipt", ["invoice", "receipt"]),
        ("invoice | receipt", ["invoice", "receipt"]),
        ("invoice OR receipt 2024", ["invoice 2024", "receipt 2024"]),
        ("tax form OR slip", ["tax form", "tax slip"]),
        ("(tax form) OR (pay slip)", ["tax form", "pay slip"]),
        ("a OR b OR c", ["a", "b", "c"]),
        ("(a OR b) (c OR d)", ["a c", "a d", "b c", "b d"]),
        ("((a OR b) OR c)", ["a", "b", "c"]),
        ("a (b (c OR d))", ["a b c", "a b d"]),
        ("a OR a", ["a"]),
        ("(invoice OR receipt)", ["invoice", "receipt"]),
        ('"rent due" OR invoice', ["rent due", "invoice"]),
        # No OR, no group: what people mean as text.
        ('24" monitor 27" curved', ['24" monitor 27" curved']),
        ('צה"ל (a OR b)', ['צה"ל a', 'צה"ל b']),
        ("invoice or receipt", ["invoice or receipt"]),
        ("OR", ["OR"]),
        ("OR invoice", ["OR invoice"]),
        ("invoice OR", ["invoice OR"]),
        ("a OR OR b", ["a", "b"]),
        ("Oregon OR", ["Oregon OR"]),
        ("a|b", ["a|b"]),
        ("x || y", ["x || y"]),
        ("ORACLE OR", ["ORACLE OR"]),
        ("(final) report", ["(final) report"]),
        ("report (final version) 2", ["report (final version) 2"]),
        ("print(x) or f(y)", ["print(x) or f(y)"]),
        ("main()", ["main()"]),
        (":-)", [":-)"]),
        ("(a OR b", ["(a", "b"]),
        ("a OR b)", ["a", "b)"]),
        (")(", [")("]),
        ("()", ["()"]),
        ("( )", ["( )"]),
        ("a ( b", ["a ( b"]),
        ("f(a OR b)", ["f(a", "b)"]),
    ],
)
def test_words(typed: str, texts: list[str]) -> None:
    found = asked(typed)
    assert [query.text for query in found] == texts
    assert all(query.filters == Filters() for query in found)
    assert not any(query.excluded for query in found)


@pytest.mark.parametrize(
    ("typed", "text", "filters"),
    [
        ("ext:pdf OR ext:docx", "", Filters(exts=("pdf", "docx"))),
        ("(ext:pdf OR ext:docx) invoice", "invoice", Filters(exts=("pdf", "docx"))),
        ("in:Work (in:Home | kind:pdf)", "", None),
        (
            "ext:pdf OR kind:image",
            "",
            Filters(any_of=((Filters(exts=("pdf",)), Filters(kinds=("image",))),)),
        ),
        (
            "in:Work (ext:pdf OR kind:image) rent",
            "rent",
            Filters(
                folders=("Work",),
                any_of=((Filters(exts=("pdf",)), Filters(kinds=("image",))),),
            ),
        ),
        ("-(ext:pdf OR kind:image)", "", Filters(not_exts=("pdf",), not_kinds=("image",))),
        (
            "-(ext:pdf kind:image)",
            "",
            Filters(any_of=((Filters(not_exts=("pdf",)), Filters(not_kinds=("image",))),)),
        ),
        ("-(-ext:pdf)", "", Filters(exts=("pdf",))),
        ("-ext:pdf", "", Filters(not_exts=("pdf",))),
        ("(ext:pdf)", "", Filters(exts=("pdf",))),
        (
            "-date:2024",
            "",
            Filters(any_of=((
                Filters(before=dt.datetime(2024, 1, 1).timestamp()),
                Filters(after=dt.datetime(2025, 1, 1).timestamp()),
            ),)),
        ),
        ("-size:>100", "", Filters(any_of=((Filters(max_size=99),),))),
        (
            "-size:10..20",
            "",
            Filters(any_of=((Filters(max_size=9), Filters(min_size=21)),)),
        ),
        ("*.pdf OR *.docx", "", Filters(names=("*.pdf", "*.docx"))),
        ("(*.pdf OR *.docx) rent", "rent", Filters(names=("*.pdf", "*.docx"))),
        ('in:"My (old) Docs"', "", Filters(folders=("My (old) Docs",))),
        ("in:/a/b(1)", "", Filters(folders=("/a/b(1)",))),
    ],
)  # fmt: skip
def test_filters(typed: str, text: str, filters: Filters | None) -> None:
    query = parse(typed, now=NOW)
    assert query.alternatives == ()
    assert query.text == text
    assert filters is None or query.filters == filters


@pytest.mark.parametrize(
    ("typed", "excluded"),
    [
        ("lease -draft", ("draft",)),
        ('lease -"not this"', ("not this",)),
        ("lease -(draft OR old)", ("draft", "old")),
        ("lease -(draft | old | void)", ("draft", "old", "void")),
        ("lease -(-draft)", ()),
        ("lease -(draft)", ("draft",)),
        ("(lease -draft)", ("draft",)),
        ("lease - draft", ()),
        ("lease --draft", ()),
        ("lease well-known", ()),
        ("lease -(", ()),
        ("lease -()", ()),
    ],
)
def test_exclusions(typed: str, excluded: tuple[str, ...]) -> None:
    (query,) = asked(typed)
    assert query.excluded == excluded
    assert query.text.split()[0] == "lease"


def test_not_both_is_without_the_one_or_without_the_other() -> None:
    assert [(q.text, q.excluded) for q in asked("lease -(draft old)")] == [
        ("lease", ("draft",)), ("lease", ("old",))
    ]  # fmt: skip


def test_words_or_filters() -> None:
    one, other = asked("invoice OR ext:pdf")
    assert (one.text, one.filters) == ("invoice", Filters())
    assert (other.text, other.filters) == ("", Filters(exts=("pdf",)))
    one, other = asked('"rent due" OR (invoice -draft)')
    assert (one.phrases, one.excluded) == (("rent due",), ())
    assert (other.phrases, other.excluded) == ((), ("draft",))


def test_a_query_with_alternatives_still_says_what_all_demand() -> None:
    query = parse("(invoice OR receipt) ext:pdf -draft", now=NOW)
    assert query.text == "invoice receipt"
    assert query.filters == Filters(exts=("pdf",))
    assert query.excluded == ("draft",)
    mixed = parse("invoice OR ext:pdf", now=NOW)
    assert mixed.filters == Filters(), "a file of another ending may answer"


def test_of_many_alternatives_the_last_are_asked_together() -> None:
    found = asked("a OR b OR c OR d OR e OR f")
    assert [query.text for query in found] == ["a", "b", "c", "d e f"]
    assert len(found) == MOST_ALTERNATIVES
    found = asked("a OR b OR c OR d OR (e ext:pdf) OR (f ext:md)")
    assert found[-1].text == "d e f"
    assert found[-1].filters == Filters()


def test_what_is_too_much_is_words() -> None:
    typed = " ".join(f"(a{n} OR b{n})" for n in range(12))
    assert questions(form_of(typed)) == []
    (query,) = asked(typed)
    assert query.text.split() == [f"{letter}{n}" for n in range(12) for letter in "ab"]
    deep = "(" * 2000 + "a OR b" + ")" * 2000
    assert parse(deep).text
    assert parse("-(" * 2000 + "a").raw
    assert parse("(a OR " * 500 + "b" + ")" * 500).text


parts = st.sampled_from(
    ["a", "b", "OR", "|", "(", ")", "-", "-(", '"', "ext:pdf", "kind:image", "-ext:md", "size:>1",
     "date:2024", "*.txt", "-c", '"x y"', ":", "\\", "in:(", "\x00", "OR)", "(OR", "last week"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@example("-( last week a b OR)")
@given(
    st.one_of(
        st.lists(parts, max_size=14).map(" ".join), st.lists(parts, max_size=14).map("".join),
        st.text(max_size=60),
    )
)  # fmt: skip
def test_nothing_fails_and_no_word_is_lost(typed: str) -> None:
    query = parse(typed, now=NOW, plain=True)
    assert query.raw == typed
    assert len(query.alternatives) <= MOST_ALTERNATIVES
    stands_for = questions(form_of(typed))
    assert len(stands_for) <= MOST_QUESTIONS
    # Questions beyond the most are asked as one, which leaves out only what all of them leave out.
    beyond = len(query.alternatives) == MOST_ALTERNATIVES
    wanted = {item.value for items in stands_for for item in items if not item.negated}
    said = {" ".join((q.text, *q.phrases, *q.excluded)) for q in query.alternatives or (query,)}
    for word in ("a", "b"):
        if any(part == word for part in typed.split()) and (word in wanted or not beyond):
            assert any(word in text.split() for text in said), (typed, said)
