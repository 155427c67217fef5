"""Long code is folded around what was found."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.preview.folding import folded, parts
from desktop.preview.pane import PreviewPane
from desktop.window.window import Window
from engine.contract.types import Location
from tests.desktop.preview.previewing import show
from tests.desktop.scripted_indexer import ScriptedIndexer, hit

LINES = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["", "x", "}"])).map(
        lambda p: p[0] * "    " + p[1]
    ),
    max_size=60,
)


@given(LINES, st.integers(0, 59), st.integers(0, 20))
def test_what_is_found_and_each_head_stay(lines: list[str], first: int, more: int) -> None:
    kept = (first, first + more)
    hidden: set[int] = set()
    for fold in folded(parts(lines), kept):
        inside = set(range(fold.first, fold.last + 1))
        assert not inside & hidden
        assert not inside & set(range(first, first + more + 1))
        head = len(lines[fold.head]) - len(lines[fold.head].lstrip())
        assert all(
            len(lines[n]) - len(lines[n].lstrip()) > head for n in inside if lines[n].strip()
        )
        assert lines[fold.last].strip()  # lines left empty stay between what is folded
        hidden |= inside


def test_long_code_is_folded_around_the_passage(
    qtbot: QtBot, pane: PreviewPane, tmp_path: Path
) -> None:
    file = tmp_path / "a.py"
    body = "".join(f"        step_{{0}}_{n}()\n" for n in range(8))
    methods = "".join(f"    def f{n}(self):\n{body.format(n)}\n" for n in range(30))
    file.write_text(f"import os\n\n\nclass A:\n{methods}")
    line = 4 + 15 * 10 + 1  # of f15
    found = hit(str(file), kind="code", location={"lines": [line, line + 8]})
    show(qtbot, pane, found)
    view = pane.text

    def shown() -> list[str]:
        blocks = (view.document().findBlockByNumber(n) for n in range(view.blockCount()))
        return [block.text().strip() for block in blocks if block.isVisible()]

    outline = [text for text in shown() if text.startswith("def")]
    assert len(outline) == 30
    assert [text for text in shown() if "step" in text] == [f"step_15_{n}()" for n in range(8)]
    assert view.verticalScrollBar().maximum() < 80  # lines that are not seen are not scrolled
    assert view.textCursor().block().text().strip() == "def f15(self):"
    view.grab()
    marker = view._marker(view.document().findBlockByNumber(line + 9))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=marker.center().toPoint())
    assert "step_16_3()" in shown()
    beside = QPoint(2, round(marker.center().y()))
    QTest.mouseClick(view._numbers, Qt.MouseButton.LeftButton, pos=beside)
    assert "step_16_3()" not in shown()
    pane.start_find()
    QTest.keyClicks(pane.find_bar.field, "step_20_5")
    assert "step_20_5()" in shown()  # what is searched for is not left hidden
    pane.go_to(Location(lines=(line + 50, line + 58)))
    assert "step_20_5()" in shown()
    assert "step_15_0()" not in shown()
    top = view.cursorRect().top()
    button = pane.bar._open
    assert button.isVisible()
    button.click()
    assert len(shown()) == view.blockCount()
    assert button.text() == s.FOLD
    assert abs(view.cursorRect().top() - top) < 40  # the passage is still in view
    show(qtbot, pane, {**found, "location": {}})
    assert len(shown()) == view.blockCount()  # nowhere to fold around
    assert not button.isVisible()


def test_code_is_folded_by_keyboard(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, tmp_path: Path
) -> None:
    file = tmp_path / "a.py"
    body = "".join(f"    step_{{0}}_{n}()\n" for n in range(8))
    file.write_text("".join(f"def f{n}():\n{body.format(n)}\n" for n in range(30)))
    found = hit(str(file), kind="code", location={"lines": [151, 159]})
    indexer.stages = lambda _body: [{"stage": "rescored", "hits": [found]}]
    view, fold = window.preview.text, window.actions_by_id["fold"]
    assert not fold.isEnabled()
    with qtbot.waitSignal(window.preview.shown):
        window.search.set_text("f15")
    assert fold.isEnabled()
    assert len(view.folded) == 29
    assert view.accessibleDescription() == s.lines_folded(29 * 8)
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_L, keys)
    assert view.folded == []
    assert view.accessibleDescription() == ""
    assert view.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_L, keys)  # the part with the cursor: the one that was found
    assert [one.head for one in view.folded] == [150]
    QTest.keyClick(view, Qt.Key.Key_Down)  # over what is hidden, which stays so
    assert view.textCursor().blockNumber() == 159
    assert [one.head for one in view.folded] == [150]
