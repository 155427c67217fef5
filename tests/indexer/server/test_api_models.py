"""The API's models: what is told of each, and what is refused with a way out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.models.registry import MODELS
from tests.engine.encoders.jina_tiny import CHECKPOINT
from tests.indexer.conftest import RunningIndexer
from tests.light_model import LIGHT_MODEL

pytestmark = pytest.mark.slow


def rows(indexer: RunningIndexer) -> dict[str, dict[str, Any]]:
    answer = indexer.ask("GET", "/v1/models")
    assert answer.status == 200
    return {row["id"]: row for row in answer.json["models"]}


def test_every_model_is_told(indexer: RunningIndexer) -> None:
    found = rows(indexer)
    assert list(found) == list(MODELS)
    mini, jina = found[LIGHT_MODEL], found["jina-v4"]
    assert mini["in_use"]
    assert mini["available"]
    assert mini["index_bytes"] > 10_000
    assert not jina["in_use"]
    assert not jina["commercial_use"]
    assert jina["licence"] in jina["notice"]
    assert jina["progress"] is None
    assert jina["index_bytes"] == 0


@pytest.mark.parametrize(
    ("call", "body", "status", "said"),
    [
        ("use", {"id": "gpt"}, 400, "Known models"),
        ("use", {"id": "neomme-260m"}, 400, "Apache-2.0"),
        ("use", {}, 422, "id"),
        ("download", {"id": "neomme-260m"}, 400, "--accept-licence"),
        ("download", {"id": LIGHT_MODEL}, 400, "here already"),
        ("add", {"path": str(CHECKPOINT), "id": "neomme-260m"}, 400, "has not been accepted"),
        ("add", {"path": "ckpt"}, 422, "absolute path"),
        ("add", {"path": "/nowhere"}, 400, "does not hold a model"),
        ("remove", {"id": LIGHT_MODEL}, 400, "in use"),
    ],
)
def test_refused(
    indexer: RunningIndexer, call: str, body: dict[str, object], status: int, said: str
) -> None:
    reply = indexer.ask("POST", f"/v1/models/{call}", body)
    assert reply.status == status
    assert said in reply.error
    assert rows(indexer)["jina-v4"]["state"] == "missing"


def test_a_setting_can_not_ask_for_what_is_not_here(indexer: RunningIndexer) -> None:
    reply = indexer.ask("POST", "/v1/settings", {"model": "neomme-260m"})
    assert reply.status == 400
    assert "licence" in reply.error
    assert indexer.ask("GET", "/v1/settings").json["values"]["model"] == LIGHT_MODEL


def test_using_the_one_in_use_changes_nothing(indexer: RunningIndexer) -> None:
    reply = indexer.ask("POST", "/v1/models/use", {"id": LIGHT_MODEL})
    assert reply.status == 200
    assert (reply.json["current"], reply.json["next"]) == (LIGHT_MODEL, None)


def test_damaged_weights_are_not_added(indexer: RunningIndexer, tmp_path: Path) -> None:
    folder = shutil.copytree(CHECKPOINT, tmp_path / "ckpt")
    (folder / "adapters" / "adapter_model.safetensors").unlink()
    body = {"path": str(folder), "licence_accepted": True}
    reply = indexer.ask("POST", "/v1/models/add", body)
    assert reply.status == 400
    assert "adapter_model.safetensors is missing" in reply.error
    assert rows(indexer)["jina-v4"]["state"] == "missing"
