"""Settings, estimates and models over HTTP: checked, saved, followed by the running indexer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.contract.settings import SETTINGS, Settings
from tests.indexer.conftest import SECRET, RunningIndexer
from tests.light_model import LIGHT_MODEL
from tests.waiting import until

pytestmark = pytest.mark.slow


def change(indexer: RunningIndexer, **values: object) -> dict[str, Any]:
    return indexer.client.call("POST", "/v1/settings", values)


def state(indexer: RunningIndexer, name: str) -> str:
    return str(indexer.client.explain(str(indexer.folder / name))["state"])


def test_the_table_is_told(indexer: RunningIndexer) -> None:
    told = indexer.client.call("GET", "/v1/settings")
    assert told["values"].keys() == told["table"].keys() == SETTINGS.keys()
    assert told["table"]["max_file_mb"]["bounds"] == [1, 100_000]


def test_changes_are_saved_and_what_else_is_in_the_file_stays(indexer: RunningIndexer) -> None:
    window = Settings.load(indexer.base)  # the window writes the file as well
    window.set("theme", "dark")
    window.save()
    answer = change(indexer, result_limit=77, encoder_threads=2)
    assert answer["values"]["result_limit"] == 77
    assert answer["restart"] == ["encoder_threads"]
    saved = Settings.load(indexer.base)
    assert (saved.theme, saved.result_limit, saved.encoder_threads) == ("dark", 77, 2)


def test_one_wrong_value_changes_nothing(indexer: RunningIndexer) -> None:
    before = indexer.client.call("GET", "/v1/settings")["values"]
    reply = indexer.ask("POST", "/v1/settings", {"result_limit": 60, "workers": 99})
    assert reply.status == 400
    assert "from 1 to 32" in reply.error
    assert indexer.client.call("GET", "/v1/settings")["values"] == before
    assert Settings.load(indexer.base).result_limit == before["result_limit"]


def test_what_is_left_out_leaves_the_index(indexer: RunningIndexer) -> None:
    until(lambda: state(indexer, "upload.py") == "done")
    change(indexer, excluded=["*.py"])
    until(lambda: state(indexer, "upload.py") == "ignored")
    change(indexer, excluded=[])
    until(lambda: state(indexer, "upload.py") == "done")


def test_secrets_follow_the_setting(indexer: RunningIndexer) -> None:
    def found() -> bool:
        answer = list(indexer.client.search(f'"{SECRET}"'))[-1]
        return [hit["path"] for hit in answer["hits"]] == [str(indexer.folder / "creds.txt")]

    assert state(indexer, "creds.txt") == "withheld"
    change(indexer, withhold_secrets=False)
    until(lambda: state(indexer, "creds.txt") == "done")
    until(found)
    change(indexer, withhold_secrets=True)
    until(lambda: state(indexer, "creds.txt") == "withheld")
    until(lambda: not found())
    indexer.until_idle()


def test_a_higher_limit_reads_what_was_too_large(indexer: RunningIndexer) -> None:
    change(indexer, max_file_mb=1)
    large = indexer.folder / "large.txt"
    # Mostly white space, so that the model has little to read.
    large.write_text("A letter about the weather of a distant summer.\n" + " \n" * 600_000)
    until(lambda: state(indexer, "large.txt") == "skipped")
    assert indexer.client.explain(str(large))["reason"] == "too-large"
    change(indexer, max_file_mb=2)
    until(lambda: state(indexer, "large.txt") == "done")
    large.unlink()


def test_an_estimate_counts_by_the_rules_of_the_walk(
    indexer: RunningIndexer, tmp_path: Path
) -> None:
    folder = tmp_path / "candidate"
    (folder / "src" / "node_modules").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    (folder / "src" / "node_modules" / "dependency.js").write_text("x")
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "src" / "run.log").write_text("x")
    (folder / "src" / "main.py").write_text("print()\n")
    (folder / "notes.md").write_text("# Notes\n")
    (folder / "scan.pdf").write_bytes(b"%PDF" + b"0" * 96)
    (folder / "link").symlink_to(folder)
    told = indexer.client.call(
        "POST", "/v1/estimate", {"paths": [str(folder), str(folder / "src")]}
    )
    assert told["by_kind"] == {"code": 1, "note": 1, "pdf": 1}
    assert (told["files"], told["bytes"], told["complete"]) == (3, 116, True)
    assert 1.0 < told["seconds"] < 10.0
    assert [f["path"] for f in indexer.client.status()["folders"]] == [str(indexer.folder)]


def test_models_are_listed(indexer: RunningIndexer) -> None:
    told = indexer.client.call("GET", "/v1/models")
    models = {model["id"]: model for model in told["models"]}
    assert told["current"] == LIGHT_MODEL
    assert models[LIGHT_MODEL]["available"]
    assert not models["jina-v4"]["available"]
    assert models["jina-v4"]["commercial_use"] is False
    assert not models["jina-v4"]["licence_accepted"]
