"""Separated values as a table: its cells, its place, find in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.preview.pane import PreviewPane
from desktop.preview.table import MOST_COLUMNS, cells_of
from engine.contract.codec import from_data
from engine.contract.types import Hit
from tests.desktop.scripted_indexer import hit


def test_separated_values_are_a_table(
    qtbot: QtBot, service: IndexerConnection, tmp_path: Path
) -> None:
    pane = PreviewPane(service)
    qtbot.addWidget(pane)
    pane.resize(500, 600)
    pane.show()
    file = tmp_path / "meter.csv"
    rows = [f'2025-{n},{n * 7},"a, b\nc",note {n}' for n in range(1, 60)]
    file.write_text("\n".join(["month,kWh,remark,more", *rows]), encoding="utf-8")
    place = {"lines": [60, 61]}
    marks = [{"type": "text", "start": 0, "end": 7, "word": "n"}]
    found = hit(str(file), location=place, evidence=marks, snippet="note 30 210 …")
    with qtbot.waitSignal(pane.shown):
        pane.show_hit(from_data(found, Hit))
    table, model = pane.table, pane.table.model()
    assert table.isVisible()
    assert (model.rowCount(), model.columnCount()) == (59, 4)
    across = Qt.Orientation.Horizontal
    assert [model.headerData(n, across) for n in range(4)] == ["month", "kWh", "remark", "more"]
    assert model.index(0, 2).data() == "a, b c"  # over two lines of the file
    role = Qt.ItemDataRole.BackgroundRole
    tinted = [row for row in range(59) if model.index(row, 0).data(role) is not None]
    assert tinted == [29]  # of the file's lines 60 and 61
    assert model.index(29, 3).data(role) == theme.of(table.palette()).mark
    assert table.visualRect(model.index(29, 0)).top() < table.viewport().height()
    assert model.index(29, 1).data(role) != theme.of(table.palette()).mark
    more = {"type": "text", "start": 8, "end": 11, "word": "k"}  # found by a later stage
    pane.show_hit(from_data({**found, "evidence": [*marks, more]}, Hit))
    assert model.index(29, 1).data(role) == theme.of(table.palette()).mark
    pane.start_find()
    QTest.keyClicks(pane.find_bar.field, "NOTE 5")
    assert table.currentIndex().data() == "note 5"
    pane.find_bar.find_wanted.emit("note 5", False)
    assert table.currentIndex().data() == "note 50"
    assert pane.shown_text() == "note 50"
    pane.find_bar.find_wanted.emit("nowhere", False)
    assert pane.find_bar._result.text() == s.FIND_NONE
    pane.bar.source_toggled.emit(True)
    assert pane.text.isVisible()
    assert pane.text.toPlainText().startswith("month,kWh")
    pane.bar.source_toggled.emit(False)
    assert table.isVisible()


@pytest.mark.parametrize(
    ("text", "headed", "shape"),
    [
        ("a;b\n1;2", True, (2, 2)),
        ("1;2\n3;4", False, (2, 2)),
        ("a\tb\n\n1\t2", True, (2, 2)),
        ("only words\nand lines", False, None),
        ("", False, None),
        ('a,"b\nnever closed', False, (1, 2)),
        (",".join("x" * 500), False, (1, MOST_COLUMNS)),
    ],
)
def test_what_is_a_table(text: str, headed: bool, shape: tuple[int, int] | None) -> None:
    cells = cells_of(text, "csv")
    if shape is None:
        assert cells is None
    else:
        assert cells is not None
        assert (len(cells.rows), max(map(len, cells.rows))) == shape
        assert cells.headed == headed
