"""The throttle: disk, cap, battery, failed commits."""

import pytest

from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from indexer.indexing import throttle
from indexer.indexing.throttle import Throttle


@pytest.fixture
def settings(base: BaseDir) -> Settings:
    made = Settings.load(base)
    made.min_free_disk_gb = 0
    return made


def test_nothing_stands_against_it(base: BaseDir, settings: Settings) -> None:
    assert Throttle(base, settings, lambda: 0).reason_to_wait() == ""


def test_little_free_disk(base: BaseDir, settings: Settings) -> None:
    settings.min_free_disk_gb = 1_000
    held = Throttle(base, settings, lambda: 0)
    assert "free on the disk" in held.reason_to_wait()
    assert held.health()[0]["hint"]


def test_full_index(base: BaseDir, settings: Settings) -> None:
    settings.disk_cap_gb = 1
    assert (
        Throttle(base, settings, lambda: 2_000_000_000).reason_to_wait().startswith("The index has")
    )
    assert Throttle(base, settings, lambda: 10).reason_to_wait() == ""


def test_battery(base: BaseDir, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "_on_battery", lambda self: True)
    assert Throttle(base, settings, lambda: 0).reason_to_wait().startswith("On battery")
    settings.pause_on_battery = False
    assert Throttle(base, settings, lambda: 0).reason_to_wait() == ""


def test_failed_commit_backs_off_and_ends(
    base: BaseDir, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Throttle(base, settings, lambda: 0)
    held.failed(OSError("no space left"))
    assert held.reason_to_wait()
    assert "no space" in held.health()[0]["hint"]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: 1e12)
    assert held.reason_to_wait() == ""
