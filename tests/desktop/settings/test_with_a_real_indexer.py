"""The settings of two front ends over a real indexer: nobody takes back what the other set."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest
from pytestqt.qtbot import QtBot

from desktop.client import Client
from desktop.connection import IndexerConnection
from desktop.settings.changing import change_settings
from desktop.settings.settings_client import SettingsClient
from engine.contract.paths import BaseDir
from engine.contract.settings import DEFAULT_MODEL, Settings
from tests.waiting import PATIENCE


@pytest.fixture
def settings(base: BaseDir, qtbot: QtBot) -> Iterator[SettingsClient]:
    """The window's, which loaded the file before anything was changed."""
    client = Client.connect(base)
    process = psutil.Process(client.endpoint.pid)
    service = IndexerConnection(base)
    made = SettingsClient(base, Settings.load(base), service)
    with qtbot.waitSignal(service.status_changed):
        service.start()
    yield made
    made.close()
    service.close()
    client.stop()
    process.wait(PATIENCE)


def test_nothing_is_taken_back_and_nothing_refused_is_kept(
    base: BaseDir, settings: SettingsClient, qtbot: QtBot
) -> None:
    change_settings(base, {"excluded": ("Private",)})  # the command line, say
    settings.set("theme", "dark")
    qtbot.waitUntil(lambda: Settings.load(base).theme == "dark")
    assert Settings.load(base).excluded == ("Private",)
    qtbot.waitUntil(lambda: settings.values.excluded == ("Private",))
    with qtbot.waitSignal(settings.refused) as refused:
        settings.set("model", "jina-v4")  # its licence was not accepted
    assert "licence" in refused.args[0].message
    assert settings.values.model == DEFAULT_MODEL
    change_settings(base, {"result_limit": 7})
    settings._service.refresh()
    qtbot.waitUntil(lambda: settings.values.result_limit == 7)
