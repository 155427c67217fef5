"""Asking over the HTTP API of a real indexer, whose language model is a script."""

from __future__ import annotations

import base64
import http.client
import io
import json
import urllib.parse
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest
from PIL import Image

from tests.indexer.conftest import SECRET, RunningIndexer
from tests.scripted_model_server import ScriptedModelServer, endless, said, silent
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

QUESTION = "How often is the sourdough starter fed?"


@pytest.fixture
def model(indexer: RunningIndexer) -> Iterator[ScriptedModelServer]:
    """The server that the settings name."""
    with ScriptedModelServer(lambda _body: said("It is fed ", "every evening [1].")) as server:
        server.models["data"][0]["max_model_len"] = 8_000
        indexer.client.call("PATCH", "/v1/settings", {"ask_server": server.url})
        yield server
        indexer.client.call("PATCH", "/v1/settings", {"ask_server": ""})


def events(indexer: RunningIndexer, **asked: Any) -> list[dict[str, Any]]:
    reply = indexer.ask("POST", "/v1/ask", {"question": QUESTION, **asked})
    assert reply.status == 200, reply.body
    assert reply.type == "application/x-ndjson"
    return [json.loads(line) for line in reply.body.splitlines()]


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in found if event["event"] != "draft"]


def test_a_question_is_answered_with_proof(
    indexer: RunningIndexer, model: ScriptedModelServer
) -> None:
    found, *_, sentence, last = events(indexer)
    (source,) = [s for s in found["sources"] if s["number"] == 1]
    assert source["hit"]["path"] == str(indexer.folder / "bread.md")
    assert "Feed the starter every evening." in source["text"]
    assert (found["model"], found["server"], found["local"]) == ("small", model.url, True)
    assert 0 < found["tokens"] < found["room"]
    assert sentence["text"] == "It is fed every evening."
    assert [citation["number"] for citation in sentence["citations"]] == [1]
    assert (last["event"], last["ending"]) == ("finished", "complete")
    assert 0 < last["found_ms"] <= last["first_ms"] <= last["took_ms"]
    # What the person is shown is what the model was given.
    sent = [(message["role"], message["content"]) for message in model.asked[-1]["messages"]]
    assert sent == [tuple(row) for row in found["prompt"]]


def test_a_sentence_without_a_source_is_dropped_and_counted(
    indexer: RunningIndexer, model: ScriptedModelServer
) -> None:
    model.script = lambda _body: said("It is fed every evening [1]. Bread is popular. Very [9].")
    found = events(indexer)
    assert kinds(found) == ["found", "sentence", "dropped", "dropped", "finished"]
    assert found[-1]["dropped"] == 2


def test_where_nothing_matches_no_model_is_asked(
    indexer: RunningIndexer, model: ScriptedModelServer
) -> None:
    found, last = events(indexer, question="quantum chromodynamics of neutron stars kind:code")
    assert (found["weak"], found["sources"], found["prompt"]) == (True, [], [])
    assert last["ending"] == "nothing"
    assert model.asked == []


def test_withheld_secrets_are_in_no_prompt(
    indexer: RunningIndexer, model: ScriptedModelServer
) -> None:
    events(indexer, question="creds AKIA access key")
    assert all(SECRET not in json.dumps(body) for body in model.asked)


def test_a_picture_is_shown_to_a_model_that_sees(
    indexer: RunningIndexer, model: ScriptedModelServer
) -> None:
    indexer.client.call("PATCH", "/v1/settings", {"ask_pictures": "always"})
    try:
        found = events(indexer, question="harbour timetable kind:image")[0]
    finally:
        indexer.client.call("PATCH", "/v1/settings", {"ask_pictures": "told"})
    assert found["sources"][0]["hit"]["path"] == str(indexer.folder / "sign.png")
    assert found["sources"][0]["given"] in ("picture", "both")
    content = model.asked[-1]["messages"][-1]["content"]
    (url,) = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as shown:
        assert shown.size == (640, 200)


def test_what_was_found_stays_the_context_of_a_conversation(
    indexer: RunningIndexer, model: ScriptedModelServer
) -> None:
    found = events(indexer)[0]
    turn = {
        "question": QUESTION,
        "answer": "It is fed every evening.",
        "units": [source["unit"] for source in found["sources"]],
    }
    events(indexer, question="And what is it called?", turns=[turn])
    assert "Feed the starter every evening." in model.messages()
    assert QUESTION in model.messages()


@pytest.mark.parametrize(
    "asked",
    [
        {"question": ""},
        {"question": "x" * 10_001},
        {"turns": [{"question": "q"}] * 51},
        {"turns": [{"question": "q", "units": ["u"] * 101}]},
        {"turns": [{"question": "q", "answer": "x" * 100_001}]},
        {"turns": "none"},
        {"model": "m" * 501},
        {"image": "relative.png"},
        {"plain": "yes"},
    ],
)
def test_limits_hold(
    indexer: RunningIndexer, model: ScriptedModelServer, asked: dict[str, Any]
) -> None:
    reply = indexer.ask("POST", "/v1/ask", {"question": QUESTION, **asked})
    assert reply.status == 422
    assert reply.error
    assert model.asked == []


@pytest.mark.parametrize("script", [endless, silent])
def test_closing_the_connection_stops_the_model(
    indexer: RunningIndexer, model: ScriptedModelServer, script: Any
) -> None:
    model.script = script(model)
    address = urllib.parse.urlsplit(indexer.client.endpoint.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    with closing(connection):
        body = json.dumps({"question": QUESTION})
        connection.request("POST", "/v1/ask", body, {"Authorization": f"Bearer {indexer.token}"})
        response = connection.getresponse()
        assert json.loads(response.readline())["event"] == "found"
        until(lambda: model.asked)
        assert not model.gone.is_set()
        response.close()
    assert model.gone.wait(PATIENCE)


def test_searches_and_questions_are_answered_while_a_model_writes(
    indexer: RunningIndexer, model: ScriptedModelServer
) -> None:
    waits = silent(model)

    def script(body: dict[str, Any]) -> Iterable[Any]:
        return waits(body) if len(model.asked) == 1 else said("It is fed every evening [1].")

    model.script = script
    address = urllib.parse.urlsplit(indexer.client.endpoint.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    with closing(connection):
        headers = {"Authorization": f"Bearer {indexer.token}"}
        connection.request("POST", "/v1/ask", json.dumps({"question": QUESTION}), headers)
        connection.getresponse().readline()
        until(lambda: model.asked)
        assert indexer.ask("POST", "/v1/search", {"query": "starter"}).json["hits"]
        assert kinds(events(indexer)) == ["found", "sentence", "finished"]
        assert not model.gone.is_set()


def test_what_can_be_asked(indexer: RunningIndexer, model: ScriptedModelServer) -> None:
    told = indexer.client.call("GET", "/v1/ask/servers")
    assert (told["server"], told["model"]) == (model.url, "small")
    assert told["servers"][0]["models"] == [{"id": "small", "sees": None, "context": None}]
    assert {row["name"] for row in told["how_to"]} == {"Ollama", "llama.cpp"}
    assert (told["to_confirm"], told["forbidden_by"], told["error"]) == ("", "", None)


def test_another_machine_is_confirmed_by_its_name(indexer: RunningIndexer) -> None:
    """192.0.2.0/24 is of no machine: nothing would answer, and before that nothing is sent."""
    call = indexer.client.call
    call("PATCH", "/v1/settings", {"ask_server": "http://192.0.2.7:9/v1"})
    try:
        told = call("GET", "/v1/ask/servers")
        assert (told["to_confirm"], told["server"]) == ("192.0.2.7", "")
        refused = indexer.ask("POST", "/v1/ask", {"question": QUESTION})
        assert (refused.status, "another machine" in refused.error) == (400, True)
        wrong = indexer.ask("POST", "/v1/ask/confirm", {"host": "192.0.2.8"})
        assert (wrong.status, "192.0.2.7" in wrong.error) == (400, True)
        changed = indexer.ask("PATCH", "/v1/settings", {"ask_confirmed": "192.0.2.7"})
        assert changed.status == 400
        values = call("GET", "/v1/settings")["values"]
        assert values["ask_confirmed"] == ""
    finally:
        call("PATCH", "/v1/settings", {"ask_server": ""})


def test_an_address_that_is_none_is_refused_when_it_is_set(indexer: RunningIndexer) -> None:
    reply = indexer.ask("PATCH", "/v1/settings", {"ask_server": "http://127.0.0.1@evil/"})
    assert (reply.status, "no address" in reply.error) == (400, True)


def test_nothing_of_it_is_kept(indexer: RunningIndexer, model: ScriptedModelServer) -> None:
    events(indexer, question="How often is the sourdough starter fed, zebrafish?")
    kept = [path for path in indexer.base.root.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"zebrafish" in path.read_bytes()]
