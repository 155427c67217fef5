"""A view is what a store of the readable units alone would be: no answer of it depends on others.

Some hundred drawn cases; `tests.benchmarks.team_rights` tries a whole service with any number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.served import QdrantStore
from engine.store import StoredUnit
from tests.engine.store_contract.comparing import check_questions, check_reads
from tests.engine.store_contract.made_units import About, made

FILES = list(range(1, 31))
CLASSES = (11, 12, 13, 2**62)
_ASKED = 12


class Pair:
    """A store of all files, and one of those that some classes may read."""

    def __init__(self, folder: Path, seed: int) -> None:
        draw = random.Random(seed)
        self.rights = frozenset(draw.sample(CLASSES, draw.choice((1, 2, 3))))
        self.whole = QdrantStore.open(folder / "whole", About())
        self.part = QdrantStore.open(folder / "part", About())
        classes = {i: draw.choice(CLASSES) for i in FILES}
        units: dict[int, list[StoredUnit]] = {i: made(i, seed * 1_000 + i) for i in FILES}
        self.whole.upsert([s for some in units.values() for s in some], classes)
        # Files change, go, and come to be of other classes: nothing of before may be left.
        again = draw.sample(FILES, 5)
        units |= {i: made(i, seed * 1_000 + 500 + i) for i in again}
        self.whole.upsert([s for i in again for s in units[i]], classes)
        moved = {i: draw.choice(CLASSES) for i in draw.sample(FILES, 8)}
        self.whole.set_rights(moved)
        classes |= moved
        gone = draw.sample(FILES, 3)
        self.whole.delete(gone)
        kept = [i for i in FILES if classes[i] in self.rights and i not in gone]
        self.part.upsert([s for i in kept for s in units[i]], classes)

    def close(self) -> None:
        self.whole.close()
        self.part.close()


def check(pair: Pair, seed: int, cases: int) -> None:
    """So many questions of the pair, after all reads."""
    mine, theirs = pair.whole.view(pair.rights), pair.part.view()
    check_reads(mine, theirs, FILES, most=4)
    for case in range(cases):
        check_questions(mine, theirs, random.Random(f"{seed} {case}"), FILES)


@pytest.fixture(params=range(20))
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Pair, int]]:
    made_pair = Pair(tmp_path, request.param)
    yield made_pair, request.param
    made_pair.close()


def test_a_view_is_a_store_of_what_may_be_read(pair: tuple[Pair, int]) -> None:
    check(*pair, _ASKED)


def test_what_may_not_be_read_can_not_be_had_by_its_number(tmp_path: Path) -> None:
    store = QdrantStore.open(tmp_path, About())
    units = [*made(1, 1), *made(2, 2)]
    store.upsert(units, {1: 11, 2: 12})
    (row, *_) = store.view().file_rows(2)
    view = store.view(frozenset({11}))
    assert view.rows([row.unit_id]) == {}
    assert view.vectors([row.unit_id]) == {}
    assert view.unit_terms([row.unit_id]) == {}
    refs = [row.ref for row in store.view().file_rows(2) if row.ref is not None]
    assert refs
    assert all(not len(record.tokens) for record in view.tokens(refs))
    assert store.view(frozenset()).count() == 0
    store.close()
