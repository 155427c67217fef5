"""The space of looks: what is put there is found, kept, moved, taken away; damage empties it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.types import FileFacts, Filters, Look
from engine.store import Condition, Looks, Store, list_spaces

SIDE, VIEWS = 4, 2
DIM = SIDE * SIDE


def look(seed: int, content: str = "") -> Look:
    made = np.random.default_rng(seed).normal(size=(VIEWS, DIM)).astype(np.float32)
    views = made / np.linalg.norm(made, axis=1, keepdims=True)
    small = np.random.default_rng(seed + 99).random((SIDE, SIDE)).astype(np.float32)
    return Look(views, small, (40 + seed, 30), content or f"hash {seed}")


def facts(file_id: int, path: str = "", kind: str = "image") -> FileFacts:
    return FileFacts(file_id, path or f"/photos/{file_id}.jpg", kind, "photo", "jpg", 5.0, 9)


def opened(folder: Path, space: str = "sight-x-1") -> Looks:
    return Looks(folder, space, DIM, VIEWS)


@pytest.fixture
def looks(tmp_path: Path) -> Iterator[Looks]:
    made = opened(tmp_path)
    made.replace([(facts(i), look(i)) for i in range(1, 6)])
    yield made
    made.close()


def test_the_nearest_is_found_by_any_view(looks: Looks) -> None:
    asked = Look(look(3).views[1:], look(3).small, (1, 1))
    (first, score), *_ = looks.nearest(asked, None, 3)
    assert (first, round(score, 2)) == (3, 1.0)
    assert 3 not in dict(looks.nearest(asked, None, 9, without=[3]))
    screens = Condition(Filters(kinds=("screenshot",)))
    assert looks.nearest(asked, screens, 3) == []


def test_a_look_is_given_back_as_it_was(looks: Looks) -> None:
    back = looks.of([2, 77])
    assert back.keys() == {2}
    assert np.allclose(back[2].views, look(2).views, atol=1e-3)
    assert np.allclose(back[2].small, look(2).small, atol=1e-3)
    assert (back[2].size, back[2].content) == ((42, 30), "hash 2")


def test_it_is_its_own_book_and_the_next_process_reads_it(looks: Looks, tmp_path: Path) -> None:
    looks.replace([(facts(2), look(8, "new"))])
    looks.delete([4, 77])
    looks.move([facts(5, "/elsewhere/5.jpg"), facts(78)])
    looks.close()
    again = opened(tmp_path)
    try:
        assert again.contents() == {1: "hash 1", 2: "new", 3: "hash 3", 5: "hash 5"}
        assert again.places()[5] == ("/elsewhere/5.jpg", 5.0)
        there = Condition(Filters(folders=("/elsewhere",)))
        assert [file_id for file_id, _ in again.nearest(look(5), there, 9)] == [5]
        assert dict(again.likeness(look(8), [2]))[2] > 0.99
    finally:
        again.close()


def test_the_space_of_another_version_goes_and_passages_stay(tmp_path: Path) -> None:
    opened(tmp_path, "sight-x-1").close()
    Store.open(tmp_path, "minilm-1", DIM).close()
    opened(tmp_path, "sight-x-2").close()
    assert list_spaces(tmp_path) == ["minilm-1", "sight-x-2"]


def spoil(folder: Path) -> None:
    for path in (folder / "sight-x-1.lance").rglob("*.lance"):
        if path.is_file():
            path.write_bytes(bytes(path.stat().st_size))


def test_a_damaged_space_is_opened_empty(looks: Looks, tmp_path: Path) -> None:
    looks.close()
    spoil(tmp_path)
    again = opened(tmp_path)
    try:
        assert again.contents() == {}
        again.replace([(facts(1), look(1))])
        assert again.contents() == {1: "hash 1"}
    finally:
        again.close()
    assert not list(tmp_path.glob("*.damaged-*"))


def test_damage_met_later_is_noted_and_mended(looks: Looks, tmp_path: Path) -> None:
    spoil(tmp_path)
    with pytest.raises(InklingError):
        looks.places()
    assert looks.damaged
    looks.rebuild()
    assert not looks.damaged
    assert looks.contents() == {}
    assert looks.nearest(look(1), None, 3) == []


def test_damage_is_told_as_damage(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(*_: object, **__: object) -> None:
        raise StoreDamagedError("The search index is damaged.")

    monkeypatch.setattr(Store, "vectors", torn)
    with pytest.raises(StoreDamagedError):
        looks.likeness(look(1), [1])
    assert looks.damaged
