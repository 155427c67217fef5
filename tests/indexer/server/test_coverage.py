"""Coverage: counted once for every change of the ledger, and never older than it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from engine.contract.paths import BaseDir
from engine.contract.types import Coverage
from indexer.ledger.ledger import Done, Found, Ledger
from indexer.server.coverage import CoverageCounter


class CountingLedger(Ledger):
    """Tells how often it was counted."""

    counted = 0

    def counts(self, root_id: int | None = None) -> dict[str, int]:
        self.counted += 1
        return super().counts(root_id)


@pytest.fixture
def ledger(base: BaseDir) -> Iterator[CountingLedger]:
    made = CountingLedger(base.ledger)
    yield made
    made.close()


def test_it_counts_again_after_changes_only(base: BaseDir, ledger: CountingLedger) -> None:
    folder = base.root.parent / "files"
    folder.mkdir()
    coverage = CoverageCounter(ledger, lambda: ())
    assert coverage.told() == Coverage()
    root = ledger.add_root(folder)
    found = [
        Found(os.fsencode(folder / f"{n}.md"), 1, 10**18, n, "note", "pending", "", "")
        for n in range(3)
    ]
    ids = ledger.add_files(root, found)
    assert coverage.told().message == "3 of 3 files are not read yet."
    before = ledger.counted
    for _ in range(20):
        assert coverage.told().pending == 3
    assert ledger.counted == before
    ledger.finish([Done(ids[0], 1, "h", 1, "note", None, None, "")], 1)
    assert (coverage.told().done, coverage.told().pending) == (1, 2)
    assert ledger.counted == before + 1


def test_a_scan_makes_it_incomplete_at_once(ledger: CountingLedger) -> None:
    scanning: set[int] = set()
    coverage = CoverageCounter(ledger, lambda: scanning)
    assert coverage.told().complete
    scanning.add(1)
    assert not coverage.told().complete
