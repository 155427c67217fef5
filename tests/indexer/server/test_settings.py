"""The owner of the settings: changes by key, by hand, at once, and with mistakes in the file."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from indexer.server.settings import SettingsOwner
from tests.indexer.conftest import RunningIndexer
from tests.waiting import PATIENCE, until


class Followed:
    """An owner over a base directory, and what its followers heard."""

    def __init__(self, base: BaseDir) -> None:
        self.settings = Settings.load(base)
        self.heard: list[set[str]] = []
        self.owner = SettingsOwner(base, self.settings, lambda keys: self.heard.append(set(keys)))


def by_hand(base: BaseDir, text: str) -> None:
    """As an editor saves."""
    new = base.settings.with_suffix(".editor")
    new.write_text(text)
    os.replace(new, base.settings)


def test_one_front_end_does_not_undo_another(base: BaseDir) -> None:
    it = Followed(base)
    it.owner.change({"excluded": ["Private"]})  # one
    it.owner.change({"theme": "dark"})  # and another, which never heard of it
    assert (it.settings.excluded, it.settings.theme) == (("Private",), "dark")
    saved = Settings.load(base)
    assert (saved.excluded, saved.theme) == (("Private",), "dark")
    assert it.heard == [{"excluded"}, {"theme"}]


def test_many_at_once_lose_nothing(base: BaseDir) -> None:
    it = Followed(base)
    start = threading.Barrier(8)
    keys = ["theme", "ocr", "result_limit", "hidden_files", "max_file_mb", "idle_minutes"]
    values: list[object] = ["dark", False, 77, True, 99, 7]

    def change(n: int) -> None:
        start.wait(PATIENCE)
        if n < len(keys):
            it.owner.change({keys[n]: values[n]})
        else:
            by_hand_count = 20
            for _ in range(by_hand_count):
                it.owner.refresh()
                it.owner.told()

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(change, range(8)))
    saved = Settings.load(base)
    assert [saved.get(key) for key in keys] == values
    assert [it.settings.get(key) for key in keys] == values


def test_the_revision_grows_with_changes_and_only_with_them(base: BaseDir) -> None:
    it = Followed(base)
    seen = [it.owner.told()["revision"]]
    it.owner.change({"theme": "dark"})
    seen.append(it.owner.told()["revision"])
    it.owner.change({"theme": "dark"})
    it.owner.refresh()
    assert it.owner.revision == seen[-1]
    it.owner.change({"theme": "light"})
    seen.append(it.owner.revision)
    assert seen == sorted(set(seen))
    again = Followed(base)
    assert again.owner.told()["values"]["theme"] == "light"
    assert again.owner.revision >= seen[0]


def test_what_is_changed_by_hand_is_taken_over(base: BaseDir) -> None:
    it = Followed(base)
    it.owner.change({"excluded": ["Private"], "theme": "dark"})
    revision = it.owner.revision
    by_hand(base, 'excluded = ["Private", "Diary"]\nmine = 3\n')
    it.owner.refresh()
    assert it.settings.excluded == ("Private", "Diary")
    assert it.settings.theme == Settings().theme  # taken out by hand
    assert it.owner.revision > revision
    assert it.heard[-1] == {"excluded", "theme"}
    by_hand(base, 'excluded = ["Private", "Diary", "Tax"]\nmine = 3\n')
    it.owner.change({"ocr": False})  # sees it, and what it does not know, before it writes
    assert Settings.load(base).excluded == ("Private", "Diary", "Tax")
    assert "mine = 3" in base.settings.read_text()
    assert it.heard[-2:] == [{"excluded"}, {"ocr"}]


@pytest.mark.parametrize("text", ["excluded = [", 'excluded = "Private"\n', "\udcff"])
def test_a_mistake_in_the_file_opens_nothing_and_is_not_lost(base: BaseDir, text: str) -> None:
    it = Followed(base)
    it.owner.change({"excluded": ["Private"]})
    base.settings.write_bytes(text.encode("utf-8", "surrogateescape"))
    it.owner.refresh()
    assert it.settings.excluded == ("Private",)
    assert it.owner.health()
    it.owner.change({"theme": "dark"})
    saved = Settings.load(base)
    assert (saved.excluded, saved.theme) == (("Private",), "dark")
    kept = base.settings.with_suffix(".toml.mistaken").read_bytes()
    assert kept == text.encode("utf-8", "surrogateescape")
    assert it.owner.health() == []


def test_all_or_none(base: BaseDir) -> None:
    it = Followed(base)
    it.owner.change({"theme": "dark"})
    before, revision = base.settings.read_bytes(), it.owner.revision
    for wrong in ({"theme": "light", "workers": 99}, {"colour": 1}, {"model": "neomme-260m"}):
        with pytest.raises(InklingError):
            it.owner.change(wrong)
    assert base.settings.read_bytes() == before
    assert (it.settings.theme, it.owner.revision) == ("dark", revision)


@pytest.mark.slow
class TestAnotherMachine:
    """Which may be asked: what was confirmed of one address holds for no other."""

    def test_only_its_typed_name_confirms_it(self, base: BaseDir) -> None:
        it = Followed(base)
        it.owner.change({"ask_server": "https://models.example.org/v1"})
        with pytest.raises(InklingError, match="typing its name"):
            it.owner.change({"ask_confirmed": "models.example.org"})
        assert it.settings.ask_confirmed == ""
        it.owner.confirm("models.example.org")
        assert Settings.load(base).ask_confirmed == it.settings.ask_confirmed
        assert it.settings.ask_confirmed == "models.example.org"

    def test_another_address_takes_it_back(self, base: BaseDir) -> None:
        it = Followed(base)
        it.owner.change({"ask_server": "https://models.example.org/v1"})
        it.owner.confirm("models.example.org")
        it.owner.change({"theme": "dark", "ask_server": "https://models.example.org/v1"})
        assert it.settings.ask_confirmed == "models.example.org"
        it.owner.change({"ask_server": "http://models.example.org:8000/v1"})
        assert it.settings.ask_confirmed == ""
        assert Settings.load(base).ask_confirmed == ""

    def test_what_is_no_address_is_not_taken(self, base: BaseDir) -> None:
        it = Followed(base)
        with pytest.raises(InklingError, match="no address"):
            it.owner.change({"ask_server": "http://127.0.0.1@evil.example/"})
        it.owner.change({"ask_server": " "})


class TestOverHttp:
    @pytest.mark.parametrize("method", ["PATCH", "POST"])
    def test_keys_are_changed_and_told(self, indexer: RunningIndexer, method: str) -> None:
        before = indexer.client.status()["settings_revision"]
        limit = 61 if method == "PATCH" else 62
        answer = indexer.ask(method, "/v1/settings", {"result_limit": limit})
        assert answer.status == 200
        assert answer.json.keys() == {"values", "restart", "revision"}
        assert answer.json["values"]["result_limit"] == limit
        assert answer.json["revision"] > before
        told = indexer.client.call("GET", "/v1/settings")
        assert told.keys() == {"values", "table", "revision"}
        assert told["revision"] == answer.json["revision"]
        assert indexer.client.status()["settings_revision"] == told["revision"]

    def test_the_status_sees_what_was_changed_by_hand(self, indexer: RunningIndexer) -> None:
        before = indexer.client.status()["settings_revision"]
        by_hand(indexer.base, 'excluded = ["*.py"]\n')
        until(lambda: indexer.client.status()["settings_revision"] > before)
        path = str(indexer.folder / "upload.py")
        until(lambda: indexer.client.explain(path)["state"] == "ignored")
        indexer.client.call("PATCH", "/v1/settings", {"excluded": []})
        until(lambda: indexer.client.explain(path)["state"] == "done")
