"""Where results lie: every place belongs to one result, and keys lead where the eye expects."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.results.geometry import BAND, Geometry, Grid, Rows

COUNTS = st.integers(0, 60)


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    count = draw(COUNTS)
    current = draw(st.none() | st.integers(0, max(count - 1, 0)))
    divide = draw(st.none() | st.integers(1, max(count - 1, 1)))
    return Rows(count, draw(st.integers(1, 900)), 56, 96, current, divide)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    count = draw(COUNTS)
    divide = draw(st.none() | st.integers(1, max(count - 1, 1)))
    return Grid(count, draw(st.integers(1, 900)), 144, 40, divide)


@given(rows() | grids())
def test_results_lie_in_their_order_and_never_over_each_other(geometry: Geometry) -> None:
    rects = [geometry.rect(item) for item in range(geometry.count)]
    for item, rect in enumerate(rects):
        assert geometry.at(rect.center().x(), rect.center().y()) == item
        assert geometry.at(rect.left(), rect.bottom()) == item
        assert rect.bottom() < geometry.height
        assert rect.right() < geometry.width
    for before, after in pairwise(rects):
        assert not before.intersects(after)
        assert (before.top(), before.left()) < (after.top(), after.left())
    assert geometry.at(0, geometry.height) is None
    assert geometry.at(0, -1) is None


@given(rows() | grids(), st.integers(0, 3000), st.integers(0, 900))
def test_what_is_in_sight_is_painted(geometry: Geometry, top: int, room: int) -> None:
    painted = geometry.between(top, top + room)
    for item in range(geometry.count):
        rect = geometry.rect(item)
        if rect.bottom() >= top and rect.top() <= top + room:
            assert item in painted
    assert len(painted) <= (room // 40 + 3) * max(getattr(geometry, "columns", 1), 1)


@given(rows() | grids(), st.data())
def test_keys_lead_to_results_and_back(geometry: Geometry, data: st.DataObject) -> None:
    if not geometry.count:
        return
    item = data.draw(st.integers(0, geometry.count - 1))
    for move in ("up", "down", "left", "right", "page-up", "page-down", "home", "end"):
        assert 0 <= geometry.moved(item, move, 500) < geometry.count
    below = geometry.moved(item, "down", 500)
    assert geometry.rect(below).top() >= geometry.rect(item).top()
    if geometry.rect(below).left() == geometry.rect(item).left() and below != item:
        assert geometry.moved(below, "up", 500) == item
    assert geometry.moved(item, "home", 500) == 0
    assert geometry.moved(item, "end", 500) == geometry.count - 1


def test_what_is_only_similar_begins_a_line_below_a_band() -> None:
    grid = Grid(7, 500, 150, 40, divide=4)
    assert grid.columns == 3
    assert grid.rect(4).left() == 0
    assert grid.rect(4).top() == grid.rect(3).bottom() + 1 + BAND
    assert grid.moved(2, "down", 500) == 3  # the line below is shorter
    plain, divided = Rows(3, 100, 56, 96, 0), Rows(3, 100, 56, 96, 0, divide=1)
    assert divided.rect(1).top() == plain.rect(1).top() + BAND
    assert divided.at(5, plain.rect(1).top() + 3) is None


@pytest.mark.parametrize("count", [100, 1_000_000])
def test_a_million_results_are_no_more_work(count: int) -> None:
    asked = 0

    class Counting(Rows):
        def _top(self, item: int) -> int:
            nonlocal asked
            asked += 1
            return super()._top(item)

    laid = Counting(count, 100, 56, 96, 3)
    assert laid.at(5, laid.height - 1) == count - 1
    assert asked < 30
