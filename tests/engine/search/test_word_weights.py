"""Word weights: rare words count more, common and special tokens least."""

from pathlib import Path

import numpy as np
import pytest

from engine.contract.types import FileFacts, Unit
from engine.search.word_weights import LEAST, WordWeights
from engine.store import Store, StoredUnit


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path, "words", 8)
    for number in range(40):
        text = "the report of the year" + (" about zebras" if number == 7 else "")
        facts = FileFacts(number, f"/n/{number}.txt", "note", None, "txt", 1.0, 1)
        unit = Unit(number, 0, "note", text)
        made.replace_files({number: [StoredUnit(unit, facts, np.ones(8, np.float32), None)]})
    return made


def test_rarity_orders_words(store: Store) -> None:
    weights = WordWeights(store).tokens(["", "report", "zebras", "unicorns"])
    assert weights[0] == pytest.approx(LEAST)
    assert weights[1] == pytest.approx(LEAST, abs=0.02)  # in every unit
    assert weights[1] < weights[2] < weights[3]


def test_word_pieces_share_the_weight_of_their_word(store: Store) -> None:
    weights = WordWeights(store).tokens(["zebras", "zebras", "zebra"])
    assert len(set(weights.tolist())) == 1


def test_learnt_again_when_the_index_has_grown(store: Store) -> None:
    weights = WordWeights(store)
    before = weights.tokens(["zebras"])[0]
    for number in range(40, 80):
        facts = FileFacts(number, f"/n/{number}.txt", "note", None, "txt", 1.0, 1)
        unit = Unit(number, 0, "note", "all about zebras")
        store.replace_files({number: [StoredUnit(unit, facts, np.ones(8, np.float32), None)]})
    assert weights.tokens(["zebras"])[0] < before


def test_an_empty_index_weighs_all_words_alike(tmp_path: Path) -> None:
    weights = WordWeights(Store.open(tmp_path, "empty", 8)).tokens(["zebra", "unicorn"])
    assert weights[0] == weights[1] > 0
