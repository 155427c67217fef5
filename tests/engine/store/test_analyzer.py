"""Terms of exact search: identifiers, inflection, accents, scripts without spaces."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.store import analyzer
from engine.store.analyzer import (
    MAX_TERM,
    STOP_WORDS,
    StandingFor,
    analyze,
    fts_text,
    located,
    query_terms,
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("getUserName", ["getusernam", "get", "user", "name"]),
        ("get_user_name", ["getusernam", "get", "user", "name"]),
        ("get-user-name", ["getusernam", "get", "user", "name"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("sha256", ["sha256", "sha", "256"]),
        ("IMG_2041.jpeg", ["img2041jpeg", "img", "2041", "jpeg"]),
        ("1,577,000.50 1577000", ["1577000", "50", "1577000"]),
        ("v1.2.3", ["v123"]),
        ("1.2.3", ["1.2.3", "1", "2", "3"]),
        ("l'été O’Brien", ["lete", "ete", "obrien", "brien"]),
        ("C++ C# .NET", ["c++", "c#", "net"]),
        ("Straße ÆTHER ﬁle Ｆｕｌｌ", ["strass", "aether", "file", "full"]),
        ("東京タワー", ["东京", "京た", "たわ", "わー", "东", "京"]),
        ("猫", ["猫"]),
        ("한국어", ["한국", "국어"]),
        ("ไทย", ["ไท", "ทย"]),
        ("книгами книга", ["книг", "книг"]),
        ("running runs", ["run", "run"]),
        ("", []),
        ("--- ... !!!", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


def test_composed_and_decomposed_text_are_one() -> None:
    for word in ("café", "Müller", "ガラス", "한국어", "Ångström"):
        assert analyze(unicodedata.normalize("NFD", word)) == analyze(word)


def test_a_question_finds_any_spelling_of_an_identifier() -> None:
    documents = ("userName", "user_name", "user-name", "UserName", "user name", "USER_NAME")
    for document in documents:
        for question in documents:
            assert set(query_terms(question)) & set(analyze(document)), (document, question)
    assert analyze("username")[0] in analyze("userName")


def test_common_words_go_only_when_others_remain() -> None:
    assert query_terms("how to be the user of the year") == ["user", "year"]
    assert query_terms("what is it to be") == ["it"]
    assert query_terms("to be") == ["to", "be"]
    assert query_terms("user User USERS") == ["user"]
    assert "not" not in STOP_WORDS  # means something in code


def test_a_single_character_is_asked_only_alone() -> None:
    assert query_terms("東京") == ["东京"]
    assert query_terms("京") == ["京"]
    assert "京" in analyze("東京")


def test_fts_text_tests_membership() -> None:
    stored = fts_text("Annual report", "", "getUserName")
    assert " usernam " not in stored
    assert " user " in stored
    assert stored.startswith(" annual ")
    assert stored.endswith(" ")
    assert fts_text("", "…") == ""


def test_terms_hold_no_separator_and_keep_their_length() -> None:
    rng = random.Random(7)
    alphabet = [chr(c) for c in (*range(32, 0x250), *range(0x400, 0x460), *range(0x4E00, 0x4E40))]
    alphabet += ["\u0301", "\u3099", "ﾞ", "\ud800", "😀", "\n", "\u200d", "İ", "ẞ"]
    for _ in range(300):
        text = "".join(rng.choices(alphabet, k=60))
        terms = analyze(text)
        assert terms == analyze(text)
        assert all(term and not any(c.isspace() for c in term) for term in terms)
        assert all(len(term) <= MAX_TERM for term in terms)


def test_located_gives_places_in_the_original_text() -> None:
    text = "x  Caf\u0065\u0301 getUser"
    found = {text[start:end]: terms for start, end, terms in located(text)}
    assert found["Caf\u0065\u0301"] == ("cafe",)
    assert found["getUser"] == ("getus", "get", "user")


def test_ascii_takes_no_other_way_than_the_rest() -> None:
    rng = random.Random(8)
    alphabet = "abcXYZ019_-.',+# ()c"
    for _ in range(500):
        text = "".join(rng.choices(alphabet, k=40))
        assert analyze(f"{text} é") == [*analyze(text), "e"], text


_TEXTS = some.text(some.sampled_from("aAbBüé東京ー한 _-.,'#+123\n"), max_size=60) | some.lists(
    some.sampled_from(["getUser", "get", "C#", "1,000", "1000", "東京都", "книга", "l'été"]),
    max_size=12,
).map(" ".join)


@given(_TEXTS, _TEXTS)
def test_runs_that_stand_for_a_word_are_those_with_its_terms(text: str, question: str) -> None:
    wanted = {term: f"<{term}>" for term in analyze(question)}
    slow = [
        (start, end, next(wanted[term] for term in terms if term in wanted))
        for start, end, terms in located(text)
        if any(term in wanted for term in terms)
    ]
    assert StandingFor(wanted).of(text) == slow


#: What Europe writes, and what it separates words and numbers with.
_EUROPEAN_TEXTS = some.text(
    some.sampled_from("aZcC+#09 ,.-_'’·/()\n\u00a0\u200cßéÖñŁıЖёΩώ²½ª€–“”→")
    | some.characters(max_codepoint=0x2F)
    | some.characters(min_codepoint=0xC0, max_codepoint=0x52F).filter(
        lambda c: not analyzer._ELSEWHERE.search(c)
    )
)


@given(some.lists(_EUROPEAN_TEXTS, max_size=4), _EUROPEAN_TEXTS)
def test_texts_of_europe_are_looked_at_piece_by_piece(texts: list[str], question: str) -> None:
    wanted = {term: f"<{term}>" for term in analyze(question)}
    standing = StandingFor(wanted)
    for text in [*texts, *texts]:
        slow = [
            (start, end, next(wanted[term] for term in terms if term in wanted))
            for start, end, terms in located(text)
            if any(term in wanted for term in terms)
        ]
        assert standing.of(text) == slow


@pytest.mark.parametrize(
    "text", ["call 030 1234567-abc", "call 030 1234567.a", "030 12345 3-day abc"]
)
def test_a_number_with_blanks_ends_within_a_piece(text: str) -> None:
    wanted = dict.fromkeys(["abc", "a", "day"], "x")
    slow = [(s, e, "x") for s, e, terms in located(text) if set(terms) & wanted.keys()]
    assert StandingFor(wanted).of(text) == slow


@given(_EUROPEAN_TEXTS)
def test_european_text_is_cut_as_any_text_is(text: str) -> None:
    def cut(pattern: Any) -> list[tuple[tuple[int, int], str | None]]:
        return [(match.span(), match.lastgroup) for match in pattern.finditer(text)]

    assert cut(analyzer._runs(text)) == cut(analyzer._RUN)


@pytest.mark.parametrize("text", ["e\u0301té", "नमस्ते", "東京", "ไทย", "한국어", "a 😀", "שלום"])
def test_marks_and_other_scripts_are_no_european_text(text: str) -> None:
    assert analyzer._runs(text) is analyzer._RUN


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("عقد إيجار الشقّة في أبها", "ايجار الشقه"),
        ("می‌خواهم کتاب‌های فارسی", "ميخواهم كتابهاي"),
        ("+49 (0)30 / 901 820-55 im Büro", "90182055"),
        ("+49 (0)30 / 901 820-55 im Büro", "03090182055"),
        ("Tel. 030/90182055", "+49 30 901 820 55"),
        ("01.23.45.67.89", "0123456789"),
        ("We meet at eight 🎉 in 🇩🇪", "🎉 🇩🇪"),
    ],
)
def test_what_people_type_in_other_ways(written: str, asked: str) -> None:
    shared = set(analyze(asked)) & set(analyze(written))
    assert any(len(term) > 4 or not term.isalnum() for term in shared)


@pytest.mark.parametrize(
    "text",
    ["01.02.2024 05:30", "0.5 1.25 0.75", "05-12-2024", "0 1 2 3", "DE89 3704 0044 0532 0130 00",
     "12 345 678", "2024-01-05 10:00", "2019 2020 2021 2022", "1 2 3 4 5 6 7 8", "10 20 30 40 50"],
)  # fmt: skip
def test_what_is_no_telephone_number(text: str) -> None:
    digits = [term for term in analyze(text) if term.isdigit()]
    assert not any(len(term) > 8 for term in digits)
