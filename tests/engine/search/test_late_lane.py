"""Late interaction of what has no sentences."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.search.lanes.late import deal_by_direction
from engine.store import Store
from tests.engine.store.store_units import DIM, facts, unit, vector


def test_pictures_without_text_are_ordered_by_their_whole_direction(tmp_path: Path) -> None:
    """Among themselves; what their best is worth beside passages does not change."""
    store = Store.open(tmp_path, "m", DIM)
    files = [facts(n, f"/p/{n}.jpg", "image") for n in (1, 2, 3)]
    store.replace_files({f.file_id: [unit(f, text="", seed=f.file_id)] for f in files})
    single = vector(3) + 0.5 * vector(2)
    nearness = [float(vector(n) @ single) for n in (1, 2, 3)]
    assert sorted(nearness) == nearness  # the third is nearest
    context = SimpleNamespace(
        sources=SimpleNamespace(store=store),
        encoded=SimpleNamespace(by_adapter={"retrieval": SimpleNamespace(single=single)}),
    )
    late = np.array([0.9, 0.7, np.nan, 0.5, 0.6], np.float32)
    pictures = [(0, "1:0"), (2, "9:0"), (3, "2:0"), (4, "3:0")]
    deal_by_direction(late, context, pictures)  # type: ignore[arg-type]
    np.testing.assert_allclose(late, np.array([0.5, 0.7, np.nan, 0.6, 0.9], np.float32))
    deal_by_direction(late, context, pictures[:1])  # type: ignore[arg-type]
    assert late[0] == pytest.approx(0.5)
    store.close()
