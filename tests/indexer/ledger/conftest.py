"""A ledger of its own, and a watched folder in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.ledger.ledger import Ledger, Root


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    (tmp_path / "base").mkdir()
    ledger = Ledger(tmp_path / "base" / "ledger.sqlite")
    yield ledger
    ledger.close()


@pytest.fixture
def root(ledger: Ledger, tmp_path: Path) -> Root:
    (tmp_path / "docs").mkdir()
    return ledger.add_root(tmp_path / "docs")
