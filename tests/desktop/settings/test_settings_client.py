"""The window's settings: nothing changed elsewhere is taken back, nothing changed here is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop import app as application
from desktop.connection import IndexerConnection
from desktop.settings.changing import change_settings
from desktop.settings.settings_client import SettingsClient
from desktop.system import autostart
from desktop.terminal import cli
from desktop.window.window import Window
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import DEFAULT_MODEL, Settings
from tests.desktop.scripted_indexer import ScriptedIndexer

SETTINGS = ("PATCH", "/v1/settings")


@pytest.fixture
def settings(base: BaseDir, service: IndexerConnection) -> Iterator[SettingsClient]:
    """Over a line to the scripted indexer."""
    made = SettingsClient(base, Settings.load(base), service)
    yield made
    made.close()


def test_what_was_changed_elsewhere_is_not_taken_back(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, base: BaseDir
) -> None:
    """The model page, an agent or a terminal changed something since this window was opened."""
    indexer.change_setting("model", "neomme-260m")
    indexer.change_setting("excluded", ["Private"])
    window.settings.set("theme", "dark")
    qtbot.waitUntil(lambda: indexer.settings["theme"] == "dark")
    assert indexer.settings["model"] == "neomme-260m"
    assert indexer.settings["excluded"] == ["Private"]
    assert indexer.bodies(*SETTINGS) == [{"theme": "dark"}]
    assert not base.settings.exists()
    # ... and the window knows it from the answer, without waiting for the next status.
    values = window.settings.values
    qtbot.waitUntil(lambda: values.excluded == ("Private",))
    assert values.model == "neomme-260m"


def test_what_is_changed_elsewhere_is_followed(
    qtbot: QtBot, settings: SettingsClient, service: IndexerConnection, indexer: ScriptedIndexer
) -> None:
    told: list[str] = []
    settings.changed.connect(told.append)
    indexer.change_setting("result_limit", 20)
    service.refresh()
    qtbot.waitUntil(lambda: told == ["result_limit"])
    assert settings.values.result_limit == 20
    asked = len(indexer.bodies("GET", "/v1/settings"))
    with qtbot.waitSignal(service.status_changed):
        service.refresh()
    assert len(indexer.bodies("GET", "/v1/settings")) == asked  # nothing new: not loaded again


def test_without_an_indexer_a_change_shows_and_is_sent_as_soon_as_there_is_one(
    qtbot: QtBot, base: BaseDir, indexer: ScriptedIndexer
) -> None:
    indexer.change_setting("excluded", ["Private"])
    service = IndexerConnection(base)
    settings = SettingsClient(base, Settings.load(base), service)
    settings.set("theme", "light")
    settings.set("theme", "dark")
    settings.set("ocr", False)
    assert settings.values.theme == "dark"
    assert not base.settings.exists()
    service.start()
    qtbot.waitUntil(lambda: len(indexer.bodies(*SETTINGS)) == 2)
    assert indexer.bodies(*SETTINGS) == [{"theme": "dark"}, {"ocr": False}]
    qtbot.waitUntil(lambda: settings.values.excluded == ("Private",))
    assert settings.values.theme == "dark"
    settings.close()
    service.close()


def test_a_value_the_indexer_refuses_is_shown_as_it_is_there(
    qtbot: QtBot, settings: SettingsClient, indexer: ScriptedIndexer
) -> None:
    refusal = InklingError("The model is not here.", hint="Download it first.")
    indexer.answers[SETTINGS] = refusal
    with qtbot.waitSignal(settings.refused) as refused:
        settings.set("model", "jina-v4")
    assert refused.args[0].message == refusal.message
    assert settings.values.model == DEFAULT_MODEL
    del indexer.answers[SETTINGS]
    settings.set("theme", "dark")
    qtbot.waitUntil(lambda: indexer.settings["theme"] == "dark")
    assert indexer.settings["model"] == DEFAULT_MODEL


def test_a_change_made_while_another_is_on_its_way_is_sent_after_it(
    qtbot: QtBot, settings: SettingsClient, indexer: ScriptedIndexer
) -> None:
    for limit in (10, 20, 30):
        settings.set("result_limit", limit)
    qtbot.waitUntil(lambda: indexer.settings["result_limit"] == 30)
    qtbot.waitUntil(lambda: not settings._waiting)
    assert settings.values.result_limit == 30


def test_an_answer_that_was_overtaken_changes_nothing(settings: SettingsClient) -> None:
    def answer(revision: int, theme: str) -> dict[str, Any]:
        return {"values": {"theme": theme}, "revision": revision}

    settings._take(answer(7, "dark"))
    settings._take(answer(6, "light"))
    assert settings.values.theme == "dark"
    settings._connected()  # another indexer counts from the beginning
    settings._take(answer(0, "light"))
    assert settings.values.theme == "light"


def test_values_of_another_version_are_left_alone(settings: SettingsClient) -> None:
    settings._take({"values": {"theme": "sepia", "workers": "many", "zzz": 1}, "revision": 1})
    settings._take({"nothing": "useful"})
    assert settings.values == Settings()


def test_an_indexer_that_dies_gets_the_change_when_it_is_back(
    qtbot: QtBot, settings: SettingsClient, service: IndexerConnection, indexer: ScriptedIndexer
) -> None:
    service._client._port = 9  # type: ignore[union-attr]  # nobody listens there
    service._look.setInterval(50)
    with qtbot.waitSignal(service.unavailable):
        settings.set("theme", "dark")
    assert settings.values.theme == "dark"
    qtbot.waitUntil(lambda: indexer.settings["theme"] == "dark")


def test_at_the_end_what_waits_goes_to_the_file_where_no_indexer_is(
    qtbot: QtBot, base: BaseDir
) -> None:
    service = IndexerConnection(base)
    settings = SettingsClient(base, Settings.load(base), service)
    settings.set("theme", "dark")
    other = Settings.load(base)  # somebody edits the file meanwhile
    other.set("excluded", ["Private"])
    other.save()
    settings.close()
    service.close()
    assert Settings.load(base).theme == "dark"
    assert Settings.load(base).excluded == ("Private",)


def test_the_theme_and_the_session_follow_what_is_changed_elsewhere(
    qtbot: QtBot, qapp: QApplication, base: BaseDir, indexer: ScriptedIndexer
) -> None:
    from desktop import theme

    whole = application.Application(qapp, base, Settings.load(base))
    whole.state.onboarded = True
    qtbot.waitUntil(lambda: whole.service.ready)
    indexer.change_setting("theme", "dark")
    indexer.change_setting("start_with_session", True)
    whole.service.refresh()
    qtbot.waitUntil(lambda: whole.settings.values.theme == "dark")
    assert theme.of(qapp.palette()).dark
    assert autostart.entry_file().exists()
    whole.settings.set("theme", "light")
    whole.settings.set("start_with_session", False)
    assert not autostart.entry_file().exists()
    qtbot.waitUntil(lambda: indexer.settings["start_with_session"] is False)
    whole.shut_down()


def test_a_session_that_can_not_be_set_is_said_and_not_claimed(
    qtbot: QtBot,
    qapp: QApplication,
    base: BaseDir,
    indexer: ScriptedIndexer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    for variable in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "config"))
    whole = application.Application(qapp, base, Settings.load(base))
    qtbot.waitUntil(lambda: whole.service.ready)
    whole.settings.set("start_with_session", True)
    assert whole.settings.values.start_with_session is False
    assert "Starting with the session" in whole.window.notice.label.text()
    qtbot.waitUntil(lambda: indexer.settings["start_with_session"] is False)
    whole.shut_down()


class TestFromTheTerminal:
    def test_autostart_goes_through_the_indexer_where_one_runs(
        self, base: BaseDir, indexer: ScriptedIndexer
    ) -> None:
        assert cli.main(["--base-dir", str(base.root), "autostart", "on"]) == 0
        assert indexer.bodies(*SETTINGS) == [{"start_with_session": True}]
        assert not base.settings.exists()
        assert cli.main(["--base-dir", str(base.root), "autostart", "off"]) == 0
        assert indexer.settings["start_with_session"] is False

    def test_without_an_indexer_one_key_of_the_file_is_changed(self, base: BaseDir) -> None:
        base.settings.write_text('theme = "dark"\nfrom_the_future = 1\n')
        change_settings(base, {"excluded": ("*.log",)})
        settings = Settings.load(base)
        assert (settings.theme, settings.excluded) == ("dark", ("*.log",))
        assert "from_the_future" in base.settings.read_text()
