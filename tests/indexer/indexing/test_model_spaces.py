"""Which model a new index starts with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.contract.paths import BaseDir
from engine.contract.settings import DEFAULT_MODEL, Settings
from engine.models.registry import MODELS
from indexer.indexing.model_spaces import model_in_use
from indexer.ledger.ledger import Ledger
from tests.engine.encoders.embedded import OTHER_MODEL


@pytest.fixture
def ledger(base: BaseDir) -> Iterator[Ledger]:
    made = Ledger(base.ledger)
    yield made
    made.close()


def test_the_wanted_one(base: BaseDir, ledger: Ledger) -> None:
    settings = Settings.load(base)
    settings.model = OTHER_MODEL
    assert model_in_use(ledger, settings, base).id == OTHER_MODEL
    settings.model = DEFAULT_MODEL  # gone over to later, when its space is built
    assert model_in_use(ledger, settings, base).id == OTHER_MODEL


def test_one_that_is_not_here_is_not_started_with(
    base: BaseDir, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = replace(MODELS[DEFAULT_MODEL], packages=("not_installed",))
    monkeypatch.setitem(MODELS, DEFAULT_MODEL, absent)
    settings = Settings.load(base)
    settings.model = "jina-v4"  # whose weights nobody has downloaded
    assert model_in_use(ledger, settings, base).id == OTHER_MODEL
