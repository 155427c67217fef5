"""kill -9 while another model's index is built over a changing folder: it ends like a fresh one."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models.registry import model_spec
from engine.models.sizes import as_found
from engine.store import Store
from tests.end_to_end.conftest import Inkling
from tests.end_to_end.truth import Unrest, end, kill_one, settle
from tests.engine.encoders.embedded import OTHER_MODEL
from tests.waiting import until

pytestmark = pytest.mark.slow
KILLS = 3

#: Path and text of a unit -> its vector.
Contents = dict[tuple[str, str], NDArray[np.float32]]


def contents(base: BaseDir) -> Contents:
    """What the space of the model gone over to holds; the indexer has to be stopped."""
    spec = as_found(model_spec(OTHER_MODEL), base)
    store = Store.open(base.store, spec.space, spec.dim, read_only=True)
    try:
        rows = [row for file_id in store.file_ids() for row in store.file_rows(file_id)]
        vectors = store.vectors([row.unit_id for row in rows])
        return {(row.file.path, row.text): vectors[row.unit_id] for row in rows}
    finally:
        store.close()


def is_in_use(inkling: Inkling) -> bool:
    try:
        return bool(inkling.client().status()["model"]["id"] == OTHER_MODEL)
    except InklingError:
        return False  # it is starting


def is_building(inkling: Inkling) -> bool:
    return inkling.client().status()["model"]["next"] is not None


def test_a_switch_survives_kills_and_changes(inkling: Inkling, tmp_path: Path) -> None:
    chance = random.Random(7)
    unrest = Unrest(tmp_path / "changing", seed=7)
    unrest.create(80)
    inkling.ok("add", str(unrest.folder), "--wait")
    inkling.ok("model", "use", OTHER_MODEL)
    until(lambda: is_building(inkling))
    killed = 0
    while killed < KILLS:
        for _ in range(3):
            unrest.step()
        if killed:  # the first comes while the other index is being built
            time.sleep(chance.uniform(0.2, 2.0))
        killed += bool(kill_one(inkling, chance))
        inkling.client()  # as any face does: it starts another
    until(lambda: is_in_use(inkling))
    settle(inkling)
    end(inkling)
    kept = contents(inkling.base)

    fresh = Inkling(BaseDir(tmp_path / "fresh").create())
    try:
        fresh.ok("model", "use", OTHER_MODEL, "--wait")
        fresh.ok("add", str(unrest.folder))
        settle(fresh)
    finally:
        end(fresh)
    wanted = contents(fresh.base)
    assert kept.keys() == wanted.keys()
    assert all(float(kept[key] @ wanted[key]) > 0.99 for key in wanted)
