"""A rig for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.paths import BaseDir
from tests.indexer.indexing.rig import Rig


@pytest.fixture
def rig(base: BaseDir, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(base, tmp_path / "notes")
    yield made
    made.close()
