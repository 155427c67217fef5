"""Questions that a model can't read are told, and no others: not English ones, not code, not
names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from engine.contract.notices import LANGUAGES, NOTICES, worded
from engine.contract.types import Notice
from engine.models.registry import MODELS
from engine.search.question_language import language_of, unread_by
from tests import benchmarks

ENGLISH, EVERY = MODELS["minilm"], MODELS["e5-minilm"]
EVERYDAY = Path(benchmarks.__file__).with_name("everyday.csv")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("wie backe ich ein Brot", "de"),
        ("wann fährt die Fähre am Morgen", "de"),
        ("recette du pain au levain", "fr"),
        ("come si prepara il pane in casa", "it"),
        ("la factura de la luz del mes pasado", "es"),
        ("jak upiec chleb na zakwasie", "pl"),
        ("ekmek nasıl yapılır", "tr"),
        ("hoe bak ik een brood", "nl"),
    ],
)
def test_a_sentence_of_another_language_is_told(text: str, language: str) -> None:
    said = unread_by(ENGLISH, text)
    assert said is not None
    assert (said.code, said.told["language"]) == ("language", language)
    sentence, row = worded(said) or ("", None)
    assert LANGUAGES[language] in sentence
    assert row is not None
    assert row.action == "models"
    assert unread_by(EVERY, text) is None


@pytest.mark.parametrize("text", ["как испечь хлеб", "パンの焼き方", "كيف أخبز الخبز", "新幹線"])
def test_so_is_another_script(text: str) -> None:
    said = unread_by(ENGLISH, text)
    assert said is not None
    assert said.code == "script"
    assert unread_by(EVERY, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "sourdough", "rye flour", "def parse_config(path)", "README.md", "IMG_2041.jpg",
        "git commit --amend", "tax return 2023", "die hard", "pie chart", "la la land", "main.py",
        "user login form", "sqrt(a*b)", "Error 0x80070005", "café menu", "résumé of Anna",
        "東 tower",
    ],
)  # fmt: skip
def test_no_false_alarm_on_what_is_typed_every_day(text: str) -> None:
    assert unread_by(ENGLISH, text) is None


def test_no_false_alarm_on_english_everyday_questions() -> None:
    with EVERYDAY.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    alarms = {row["question"]: language_of(row["question"]) for row in rows}
    # German words, by their parts.
    told = {question: language for question, language in alarms.items() if language}
    told = {question: language for question, language in told.items() if language != "en"}
    assert set(told.values()) <= {"de", "fr"}
    assert len(told) <= 4
    english = [r["question"] for r in rows if r["group"] in ("identifier", "number", "picture")]
    assert not [question for question in english if unread_by(ENGLISH, question)]


def test_every_notice_is_worded_and_a_newer_one_is_let_be() -> None:
    told = {"model": "M", "language": "de", "files": "3"}
    for code, row in NOTICES.items():
        sentence, same = worded(Notice(code, told)) or ("", None)
        assert sentence.endswith(".")
        assert "{" not in sentence
        assert same is row
        assert row.button
        assert row.command.startswith("inkling ")
    assert worded(Notice("of-tomorrow", {})) is None
