"""Stages become one list whose rows stay where they are being looked at."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop import strings
from desktop.presentation.matches import marks
from desktop.results.merging import merge, ordered
from desktop.results.model import ResultsModel, Role
from engine.contract.codec import from_data
from engine.contract.types import Answer, Hit
from tests.desktop.scripted_indexer import hit


def hits(*names: str, **more: object) -> list[Hit]:
    return [from_data(hit(f"/d/{name}", **more), Hit) for name in names]


def paths(found: list[Hit]) -> list[str]:
    return [h.path.rsplit("/", 1)[1] for h in found]


def test_untouched_list_takes_the_newest_order() -> None:
    assert paths(merge(hits("a", "b"), hits("c", "b", "a"), frozen=False)) == ["c", "b", "a"]


def test_frozen_rows_keep_their_places_and_new_ones_come_after() -> None:
    shown = hits("a", "b", "gone")
    fresh = hits("new", "b", "a", snippet="better")
    merged = merge(shown, fresh, frozen=True)
    assert paths(merged) == ["a", "b", "gone", "new"]
    assert [h.snippet for h in merged] == ["better", "better", "", "better"]


def test_a_file_is_one_row() -> None:
    assert paths(merge([], hits("a", "b", "a"), frozen=False)) == ["a", "b"]


@pytest.mark.parametrize("frozen", [True, False])
def test_model_obeys_qts_rules_through_every_change(
    qtmodeltester: ModelTester, qtbot: QtBot, frozen: bool
) -> None:
    model = ResultsModel()
    qtmodeltester.check(model)
    for stage in (["a", "b", "c"], ["c", "a", "d", "e"], [], ["e", "c"], ["x"], ["x", "a", "e"]):
        model.frozen = frozen
        model.take(hits(*stage))
    qtmodeltester.check(model)


def test_the_selection_goes_with_its_file(qtbot: QtBot) -> None:
    from PySide6.QtCore import QPersistentModelIndex

    model = ResultsModel()
    model.take(hits("a", "b", "c"))
    held = QPersistentModelIndex(model.index(1, 0))
    model.take(hits("c", "x", "b"))
    assert held.isValid()
    assert held.row() == 2
    assert held.data() == "b"
    model.take(hits("x"))
    assert not held.isValid()


def test_unchanged_rows_are_not_touched(qtbot: QtBot) -> None:
    model = ResultsModel()
    same = hits("a", "b")
    model.take(same)
    touched: list[object] = []
    model.dataChanged.connect(lambda *a: touched.append(a))
    model.layoutChanged.connect(lambda *a: touched.append(a))
    model.take(same)
    assert touched == []


def test_roles(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    from PySide6.QtCore import Qt

    monkeypatch.setenv("HOME", "/home/ada")
    model = ResultsModel()
    name = "/home/ada/Docs/\udcff.pdf"
    model.take([from_data(hit(name, kind="pdf", location={"page": 3}, lanes=["late"]), Hit)])
    index = model.index(0, 0)
    assert index.data(Role.FOLDER) == "~/Docs"
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    for part in ("PDF", "Page 3", "~/Docs", "Found by meaning"):
        assert part in spoken
    urls = model.mimeData([index]).urls()
    assert len(urls) == 1
    assert urls[0].toLocalFile().startswith("/home/ada/Docs/")


def test_a_file_found_by_its_name_alone_says_why(qtbot: QtBot) -> None:
    from PySide6.QtCore import Qt

    model = ResultsModel()
    model.take(
        [
            from_data(hit("/d/a.zip", state="failed", reason="encrypted"), Hit),
            from_data(hit("/d/b.md"), Hit),
        ]
    )
    spoken = [model.index(n, 0).data(Qt.ItemDataRole.AccessibleTextRole) for n in range(2)]
    assert "It is protected by a password." in spoken[0]
    assert "password" not in spoken[1]


def test_a_stage_is_read_and_unknown_fields_do_no_harm() -> None:
    stage = from_data(
        {
            "hits": [hit("/a", location={"lines": [3, 9], "symbol": "f"}, future=1)],
            "stage": "fused",
            "coverage": {"files": 9, "done": 3, "pending": 6, "complete": False, "new": 1},
        },
        Answer,
    )
    assert stage.stage == "fused"
    assert stage.coverage.pending == 6
    assert stage.hits[0].location.lines == (3, 9)


def test_marks_are_sorted_joined_and_inside_the_snippet() -> None:
    runs = [(4, 7), (0, 2), (6, 10), (90, 99), (5, 5)]
    evidence = [{"type": "text", "start": a, "end": b, "word": "w"} for a, b in runs]
    found = from_data(hit("/a", snippet="0123456789", evidence=evidence), Hit)
    assert marks(found) == [(0, 2), (4, 10)]


def test_where_hits_are_only_similar() -> None:
    model = ResultsModel()
    model.take(hits("a", "b", "c"), 2)
    assert model.first_similar == 2
    assert spoken_row(model, 2).startswith(strings.SIMILAR)
    assert not spoken_row(model, 1).startswith(strings.SIMILAR)
    model.take(hits("a", "b", "c"))
    assert model.first_similar is None  # not known yet
    for matching in (0, 3):  # nothing answers, or all does: no line
        model.take(hits("a", "b", "c"), matching)
        assert model.first_similar is None
    model.frozen = True  # the rows keep their places
    model.take(hits("a", "c", "b"), 1)
    assert model.first_similar == 1
    model.take(hits("c", "a", "b"), 1)  # among those that are only similar
    assert model.first_similar is None


def spoken_row(model: ResultsModel, row: int) -> str:
    return str(model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole))


def test_photographs_are_sorted_by_when_they_were_taken() -> None:
    """A copy is as new as what is seen on it, not as the copying."""
    old = Hit("/old.jpg", mtime=900.0, attributes={"taken": 100.0})
    note, new = (
        Hit("/note.md", mtime=500.0),
        Hit("/new.jpg", mtime=1.0, attributes={"taken": 600.0}),
    )
    assert ordered([old, note, new], 3, "date") == [new, note, old]
