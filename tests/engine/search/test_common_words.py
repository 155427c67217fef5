"""Common words: where few files are of the question's language, its "the" is rare, no answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.contract.types import FileFacts, Unit
from engine.search.common_words import LEAST, exists, telling
from engine.search.expansion import expand
from engine.search.term_matching import asked_words
from engine.search.training.common_words import common_words
from engine.search.word_weights import WordWeights
from engine.store import Store, StoredUnit

ANSWER, STRANGER = 90, 91


def store_with(folder: Path, answer: str, stranger: str) -> Store:
    """Many notes in English of which one answers, and one in the question's language."""
    made = Store.open(folder, "words", 8)
    texts = {n: f"meeting notes number {n} about the migration of the garden" for n in range(40)}
    units = {}
    for number, text in (texts | {ANSWER: answer, STRANGER: stranger}).items():
        facts = FileFacts(number, f"/n/{number}.txt", "note", None, "txt", 1.0, 1)
        unit = Unit(number, 0, "note", text)
        units[number] = [StoredUnit(unit, facts, np.ones(8, np.float32), None)]
    made.replace_files(units)
    return made


@pytest.mark.parametrize(
    ("question", "stranger"),
    [
        ("was ist mit der migration in das postgres", "Das ist der Kuchen mit der Sahne in das."),
        ("¿qué hay de la migration en el postgres?", "Qué rica es la sopa de la abuela en el."),
        ("как и на postgres migration с", "как на даче и с соседом"),
        ("postgres ve bir migration için ne var", "ne güzel bir gün ve bir akşam için var"),
    ],
)
def test_a_sentence_of_another_language_pulls_none_of_its_files(
    tmp_path: Path, question: str, stranger: str
) -> None:
    store = store_with(tmp_path, "the postgres migration, step by step", stranger)
    asked = store.ask_words(lambda lexicon: expand(lexicon, question)).asked
    found = store.search_text(asked, None, 10)
    assert found[0].file_id == ANSWER


def test_weights_of_words_know_it_too(tmp_path: Path) -> None:
    store = store_with(tmp_path, "the postgres migration", "Das ist der Kuchen mit der Sahne.")
    der, postgres, mit = WordWeights(store).asked(asked_words("der postgres mit"))
    assert max(der, mit) < postgres / 2


@pytest.mark.parametrize("word", ["der", "La", "в", "ve", "que"])
def test_common_in_some_language(word: str) -> None:
    assert telling(word) < 0.4


@pytest.mark.parametrize("word", ["certificate", "Rechnung", "договор", "請求書", "x509"])
def test_words_that_tell(word: str) -> None:
    assert telling(word) == 1.0


def test_words_of_common_words_alone_are_asked_for(tmp_path: Path) -> None:
    """Weights are relative: nothing is dropped."""
    store = store_with(tmp_path, "the who, la la la", "nothing of it")
    asked = store.ask_words(lambda lexicon: expand(lexicon, "la la la")).asked
    assert [candidate.file_id for candidate in store.search_text(asked, None, 10)] == [ANSWER]


def test_spellings_of_a_word_are_common_together() -> None:
    made = common_words([("▁Die", -9.0), ("▁die", -8.0), ("die", -2.0), ("▁x1", -2.0)])
    assert list(made) == ["die"]
    assert -8.0 < made["die"] < -7.6
    assert LEAST < telling("die") < 1.0 or telling("die") == LEAST


@pytest.mark.parametrize("word", ["Wann", "rezept", "trip", "mois", "которые"])
def test_words_of_some_language(word: str) -> None:
    assert exists(word)


@pytest.mark.parametrize("word", ["recieve", "adress", "conector", "libary", "bugdet"])
def test_words_of_none(word: str) -> None:
    assert not exists(word)
