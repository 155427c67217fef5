"""One contract, two stores: the same units in, the same answers out."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from engine.served import QdrantStore
from engine.store import Store
from tests.engine.store.store_units import DIM
from tests.engine.store_contract.comparing import check_questions, check_reads
from tests.engine.store_contract.made_units import About, made

FILES = list(range(1, 41))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, QdrantStore]]:
    """The same forty files in both, after deletes, moves and files that became shorter."""
    embedded = Store.open(tmp_path_factory.mktemp("embedded"), "made", DIM)
    served = QdrantStore.open(tmp_path_factory.mktemp("served"), About())
    draw = random.Random(7)
    seeds = {i: i for i in FILES}
    for turn in range(4):
        chosen = FILES if turn == 0 else draw.sample(FILES, 8)
        if turn:
            seeds |= {i: 1_000 * turn + i for i in chosen}
        files = {i: made(i, seeds[i]) for i in chosen}
        embedded.replace_files(files)
        served.upsert([s for units in files.values() for s in units], dict.fromkeys(files, 1))
        gone = draw.sample(FILES, 2)
        embedded.delete_files(gone)
        served.delete(gone)
    yield embedded, served
    embedded.close()
    served.close()


def test_what_is_read_is_the_same(stores: tuple[Store, QdrantStore]) -> None:
    embedded, served = stores
    check_reads(embedded, served.view(), [*FILES, 99], most=4)


@pytest.mark.parametrize("seed", range(150))
def test_questions_have_the_same_answers(stores: tuple[Store, QdrantStore], seed: int) -> None:
    embedded, served = stores
    check_questions(embedded, served.view(), random.Random(seed), FILES, one_scorer=False)
