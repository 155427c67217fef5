"""Merging: when a path is looked at, and when a folder or the whole root is instead."""

from __future__ import annotations

import itertools

import pytest

from indexer.sources.changes import (
    MANY_IN_FOLDER,
    MANY_IN_ROOT,
    PATIENCE,
    QUIET,
    QUIET_GONE,
    QUIET_GONE_BUSY,
    Changes,
    Merger,
)


def test_a_path_is_looked_at_once_it_is_quiet() -> None:
    merger = Merger()
    merger.mark("/r/a", 0.0)
    merger.mark("/r/a", 0.3)
    assert merger.next_due() == pytest.approx(0.3 + QUIET)
    assert merger.take(0.3 + QUIET - 0.01) is None
    assert merger.take(0.3 + QUIET) == Changes(("/r/a",))
    assert merger.next_due() is None
    assert merger.take(100.0) is None


def test_a_removal_is_looked_at_at_once_unless_it_may_be_half_of_a_move() -> None:
    merger = Merger()
    merger.mark("/r/a", 0.0, gone=True)
    assert merger.next_due() == pytest.approx(QUIET_GONE)
    assert merger.next_due(busy=True) == pytest.approx(QUIET_GONE_BUSY)
    assert QUIET_GONE_BUSY > QUIET
    assert not merger.fresh
    assert merger.take(QUIET_GONE + 0.01) == Changes(("/r/a",))


def test_a_file_written_anew_is_no_removal() -> None:
    merger = Merger()
    merger.mark("/r/a", 0.0, gone=True)
    merger.mark("/r/a", 0.05)
    assert merger.fresh
    assert merger.take(QUIET_GONE + 0.05) is None
    assert merger.take(0.05 + QUIET) == Changes(("/r/a",))


def test_a_file_that_is_always_written_is_looked_at_less_and_less_often() -> None:
    merger = Merger()
    looks = []
    for step in range(600):
        now = step * 0.1
        merger.mark("/r/log", now)
        if merger.take(now) is not None:
            looks.append(now)
    gaps = [b - a for a, b in itertools.pairwise(looks)]
    assert looks[0] == pytest.approx(PATIENCE, abs=0.2)
    assert gaps == sorted(gaps)
    assert gaps[-1] > 2 * PATIENCE
    # Left alone it is treated like any other file again.
    assert merger.take(60.0 + QUIET) is not None
    merger.mark("/r/log", 100.0)
    assert merger.take(100.0 + QUIET) == Changes(("/r/log",))


def test_what_lies_below_a_marked_folder_needs_no_mark() -> None:
    merger = Merger()
    merger.mark("/r/d", 0.0)
    merger.mark("/r/d/x/y", 0.1)
    assert merger.take(5.0) == Changes(("/r/d",))


def test_a_removed_folder_does_not_swallow_what_comes_in_its_place() -> None:
    merger = Merger()
    merger.mark("/r/d", 0.0, gone=True)
    merger.mark("/r/d/new", 0.0)
    changes = merger.take(5.0)
    assert changes is not None
    assert set(changes.paths) == {"/r/d", "/r/d/new"}


def test_many_in_a_folder_become_the_folder() -> None:
    merger = Merger()
    for number in range(MANY_IN_FOLDER + 1):
        merger.mark(f"/r/d/{number}", 0.0)
    merger.mark("/r/other", 0.0)
    changes = merger.take(1.0)
    assert changes is not None
    assert set(changes.paths) == {"/r/d", "/r/other"}


def test_many_places_become_the_root() -> None:
    merger = Merger()
    for number in range(MANY_IN_ROOT + 1):
        merger.mark(f"/r/{number % 50}/{number}", 0.0)
    merger.mark("/r/late", 0.2)
    assert merger.take(0.2 + QUIET) == Changes(whole=True)
    assert merger.take(10.0) is None
