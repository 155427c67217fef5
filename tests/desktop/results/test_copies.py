"""Copies of a result: shown below it as rows of their own, and hidden again."""

from __future__ import annotations

from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.results.model import ResultsModel, Role, copies_of, spoken
from engine.contract.codec import from_data
from engine.contract.types import Hit
from tests.desktop.scripted_indexer import hit


def with_copies(name: str, *copies: str, **more: object) -> Hit:
    listed = [{"path": f"/d/{copy}", "mtime": 5.0, "size": 7} for copy in copies]
    data = hit(f"/d/{name}", copies=listed, copy_count=len(copies), **more)
    return from_data(data, Hit)


def filled(*hits: Hit) -> ResultsModel:
    model = ResultsModel()
    model.take(hits)
    return model


def shown(model: ResultsModel) -> list[str]:
    rows = [model.index(row, 0) for row in range(model.rowCount())]
    return [f"{'+' if row.data(Role.COPY) else ''}{row.data()}" for row in rows]


A, B = with_copies("a", "old/a1", "old/a2"), with_copies("b")


def test_copies_open_below_their_row_and_close(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    model = filled(A, B)
    assert [model.has_copies(row) for row in range(2)] == [True, False]
    assert model.toggle_copies(0) == 0
    assert shown(model) == ["a", "+a1", "+a2", "b"]
    assert (model.rowCount(), model.files) == (4, 2)
    qtmodeltester.check(model)
    assert model.toggle_copies(2) == 0  # at a copy, too
    assert shown(model) == ["a", "b"]
    assert model.toggle_copies(1) == 1  # it has none
    assert shown(model) == ["a", "b"]


def test_a_later_stage_leaves_them_open(qtbot: QtBot) -> None:
    model = filled(A, B)
    model.toggle_copies(0)
    model.take([B, A])
    assert shown(model) == ["b", "a", "+a1", "+a2"]
    model.frozen = True
    model.take([with_copies("c"), A])
    assert shown(model) == ["b", "a", "+a1", "+a2", "c"]
    model.take([with_copies("c")])  # rows that are looked at stay what they are
    assert shown(model) == ["b", "a", "+a1", "+a2", "c"]
    model.take([with_copies("old/a1", "a", "old/a2")])  # another copy stands for all now
    assert shown(model)[:4] == ["b", "a", "a1", "+a2"]


def test_a_new_question_begins_with_all_closed(qtbot: QtBot) -> None:
    model = filled(A, B)
    model.toggle_copies(0)
    model.start()
    model.take([A])
    assert shown(model) == ["a"]


def test_a_copy_is_a_result_of_its_own() -> None:
    place = {"lines": [3, 4]}
    made = with_copies("a.md", "b.md", "c.html", snippet="words", location=place)
    same, other = copies_of(made)
    assert (same.path, same.title, same.mtime, same.size) == ("/d/b.md", "b.md", 5.0, 7)
    assert (same.snippet, same.location) == ("words", made.location)
    assert other.location.lines is None  # other lines in another format
    assert not same.copies


def test_it_is_said_how_many_there_are() -> None:
    assert "2 more copies" in spoken(A)
    assert "copies" not in spoken(B)
