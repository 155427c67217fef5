"""kill -9 at random moments over a changing folder: the index ends equal to a fresh one.

INKLING_KILLS sets how many; with 200 it takes about nine minutes.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Inkling
from tests.end_to_end.truth import (
    Index,
    Unrest,
    assert_same,
    end,
    fresh_index,
    kill_one,
    settle,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("light_model")]

KILLS = int(os.environ.get("INKLING_KILLS", "8"))


def test_kills_lose_nothing(inkling: Inkling, tmp_path: Path) -> None:
    chance = random.Random(KILLS)
    unrest = Unrest(tmp_path / "changing", seed=KILLS)
    unrest.create(60)
    inkling.ok("add", str(unrest.folder))
    killed: Counter[str] = Counter()
    while killed.total() < KILLS:
        for _ in range(chance.randint(1, 8)):
            unrest.step()
        time.sleep(chance.uniform(0.0, 2.0))
        if kind := kill_one(inkling, chance):
            killed[kind] += 1
        if kind == "indexer" or not kind:
            inkling.client()  # as any face does: it starts another
    print(dict(killed))
    settle(inkling)
    end(inkling)
    index = Index.read(inkling.base)
    assert not [p for p, (_, reason) in index.states.items() if reason in ("crashed", "encoder")]
    assert_same(index, fresh_index(tmp_path, unrest.folder))
