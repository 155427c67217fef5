"""A real indexer that asks an archive beside its own index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.indexer.archives.scripted_archive import ScriptedArchive, serving
from tests.indexer.conftest import RunningIndexer

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(indexer: RunningIndexer) -> Iterator[ScriptedArchive]:
    with serving() as script:
        asked = {"name": "Lab", "url": script.url, "token": "secret"}
        reply = indexer.ask("POST", "/v1/archives", asked)
        assert (reply.status, reply.json["archives"][0]["name"]) == (200, "Lab")
        yield script
        indexer.ask("DELETE", "/v1/archives", {"name": "Lab"})


def stages(indexer: RunningIndexer, query: str, **more: Any) -> list[dict[str, Any]]:
    reply = indexer.ask("POST", "/v1/search", {"query": query, "stages": True, **more})
    return [json.loads(line) for line in reply.body.splitlines()]


def where(stage: dict[str, Any]) -> set[str]:
    return {hit["archive"] for hit in stage["hits"]}


def test_one_more_stage_with_what_the_archive_has(
    indexer: RunningIndexer, lab: ScriptedArchive
) -> None:
    told = stages(indexer, "sourdough")
    assert [s["stage"] for s in told] == ["names", "words", "fused", "rescored", "merged"]
    assert where(told[-2]) == {""}
    assert where(told[-1]) == {"", "Lab"}
    assert told[-1]["coverage"]["away"] == {}
    assert all(hit["features"] == {} for s in told for hit in s["hits"])


def test_the_filter_chooses(indexer: RunningIndexer, lab: ScriptedArchive) -> None:
    only = stages(indexer, "sourdough archive:lab")
    assert [s["stage"] for s in only] == ["merged"]
    assert where(only[-1]) == {"Lab"}
    assert lab.requests[-1][2]["query"] == "sourdough"
    asked = len(lab.requests)
    for query in ("sourdough archive:here", "sourdough -archive:Lab"):
        assert [s["stage"] for s in stages(indexer, query)][-1] == "rescored"
    assert stages(indexer, "sourdough", archives=False)[-1]["stage"] == "rescored"
    assert len(lab.requests) == asked


def test_a_picture_stays_here(indexer: RunningIndexer, lab: ScriptedArchive) -> None:
    asked = len(lab.requests)
    picture = str(indexer.base.root / "none.png")
    assert indexer.ask("POST", "/v1/search", {"query": "a", "image": picture}).status == 400
    assert len(lab.requests) == asked


def test_an_archive_that_fails_is_a_sentence(indexer: RunningIndexer, lab: ScriptedArchive) -> None:
    lab.reply = lambda path: (200, b"<html>", {})
    told = stages(indexer, "sourdough")
    assert told[-1]["hits"] == told[-2]["hits"]
    assert told[-1]["coverage"]["away"] == {"Lab": "strange"}
    assert "The archive Lab answers in a way" in told[-1]["coverage"]["message"]


def test_its_files_are_read_there(indexer: RunningIndexer, lab: ScriptedArchive) -> None:
    reply = indexer.ask("GET", "/v1/text?path=/srv/lab/one.md&archive=Lab")
    assert reply.json == {"text": "all of it"}
    missing = indexer.ask("GET", "/v1/text?path=/srv/lab/one.md&archive=Nowhere")
    assert (missing.status, "no archive" in missing.error) == (400, True)


def test_settings_add_none(indexer: RunningIndexer) -> None:
    reply = indexer.ask("PATCH", "/v1/settings", {"archives": ["Evil http://127.0.0.1:1"]})
    assert (reply.status, "one by one" in reply.error) == (400, True)
