"""The table of settings: bounds, bad files, unknown keys, atomic saving."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import SECTIONS, SETTINGS, Setting, Settings


@pytest.fixture
def base(tmp_path: Path) -> BaseDir:
    return BaseDir(tmp_path / "base").create()


def test_defaults_pass_their_own_checks() -> None:
    settings = Settings()
    for row in SETTINGS.values():
        assert row.check(row.default) == row.default == settings.get(row.key)
        assert row.section in SECTIONS
        assert row.title
        assert row.help.endswith(".")


def test_a_change_survives_and_only_changes_are_written(base: BaseDir) -> None:
    settings = Settings.load(base)
    settings.set("theme", "dark")
    settings.set("excluded", ["*.log", "old/"])
    settings.save()
    assert tomllib.loads(base.settings.read_text()) == {
        "theme": "dark",
        "excluded": ["*.log", "old/"],
    }
    again = Settings.load(base)
    assert again == settings
    assert again.excluded == ("*.log", "old/")
    assert [p.name for p in base.root.iterdir() if p.is_file()] == ["settings.toml"]


def test_unknown_keys_are_kept(base: BaseDir) -> None:
    base.settings.write_text('future = "yes"\nocr = false\n[other]\na = 1\n')
    settings = Settings.load(base)
    assert settings.ocr is False
    settings.set("workers", 3)
    settings.save()
    assert tomllib.loads(base.settings.read_text()) == {
        "ocr": False,
        "workers": 3,
        "future": "yes",
        "other": {"a": 1},
    }


@pytest.mark.parametrize(
    "line",
    ['ocr = "yes"', "workers = true", "workers = 99", 'theme = "pink"', "excluded = [1]"],
)
def test_a_bad_value_gives_the_default_and_a_message(base: BaseDir, line: str) -> None:
    base.settings.write_text(line + "\nresult_limit = 7\n")
    settings = Settings.load(base)
    key = line.split(" ")[0]
    assert settings.get(key) == SETTINGS[key].default
    assert settings.result_limit == 7
    assert len(settings.messages) == 1
    assert SETTINGS[key].title in settings.messages[0]


def test_a_broken_file_gives_defaults_and_one_message(base: BaseDir) -> None:
    base.settings.write_bytes(b"ocr = \xff")
    settings = Settings.load(base)
    assert settings.as_dict() == Settings().as_dict()
    assert len(settings.messages) == 1


def test_zero_is_allowed_only_where_it_means_something() -> None:
    assert SETTINGS["workers"].check(0) == 0
    with pytest.raises(ValueError, match="from 5 to 200"):
        SETTINGS["result_limit"].check(0)


def test_unknown_setting_is_named() -> None:
    with pytest.raises(InklingError, match="no setting “colour”"):
        Settings().set("colour", 1)


def test_a_failed_save_leaves_the_old_file(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(base)
    settings.set("theme", "dark")
    settings.save()
    before = base.settings.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    settings.set("theme", "light")
    with pytest.raises(InklingError, match="No space left"):
        settings.save()
    assert base.settings.read_bytes() == before
    assert len([p for p in base.root.iterdir() if p.is_file()]) == 1


def test_row_without_bounds_takes_any_number() -> None:
    assert Setting("k", 1, "General", "t", "h.").check(10**9) == 10**9
