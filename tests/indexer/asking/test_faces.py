"""`inkling ask` and the agents' tool, as processes of their own, over a real indexer."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from mcp import Client

from engine.contract.agent_log import AgentLog
from tests.indexer.conftest import RunningIndexer
from tests.indexer.server.test_mcp import answer, over_http, over_stdio, refusal
from tests.scripted_model_server import Refusal, ScriptedModelServer, endless, said
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

QUESTION = "How often is the sourdough starter fed?"
ANSWER = "It is fed every evening [1]."


@pytest.fixture
def model(indexer: RunningIndexer) -> Iterator[ScriptedModelServer]:
    """The server that the settings name."""
    with ScriptedModelServer(lambda _body: said(ANSWER)) as server:
        indexer.client.call("PATCH", "/v1/settings", {"ask_server": server.url})
        yield server
        indexer.client.call("PATCH", "/v1/settings", {"ask_server": ""})


def command(indexer: RunningIndexer, *arguments: str) -> list[str]:
    base = str(indexer.base.root)
    return [sys.executable, "-m", "desktop", "--base-dir", base, "ask", *arguments]


def ask(indexer: RunningIndexer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(indexer, *arguments), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


class TestTerminal:
    def test_sentences_and_their_sources(
        self, indexer: RunningIndexer, model: ScriptedModelServer
    ) -> None:
        model.script = lambda _body: said(f"{ANSWER} Bread is popular. Very.")
        done = ask(indexer, *QUESTION.split())
        assert done.returncode == 0, done.stderr
        text, _, rest = done.stdout.partition("\n\n")
        assert text == "It is fed every evening. [1]"
        assert "[1] " in rest
        assert "bread.md:1" in rest
        assert "2 sentences had no source." in rest
        assert "upload.py" not in rest

    def test_what_terminals_obey_is_not_written(
        self, indexer: RunningIndexer, model: ScriptedModelServer
    ) -> None:
        model.script = lambda _body: said("It is\x1b]0;fed\x07 \x1b[31mevery\u202e evening [1].")
        done = ask(indexer, QUESTION)
        assert done.returncode == 0
        assert all(c.isprintable() or c == "\n" for c in done.stdout)

    def test_events_for_scripts(self, indexer: RunningIndexer, model: ScriptedModelServer) -> None:
        done = ask(indexer, "--json", QUESTION)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert [e["event"] for e in events if e["event"] != "draft"] == [
            "found", "sentence", "finished",
        ]  # fmt: skip
        assert done.returncode == 0

    def test_what_the_model_was_given(
        self, indexer: RunningIndexer, model: ScriptedModelServer
    ) -> None:
        assert "Feed the starter every evening." in ask(indexer, "--sources", QUESTION).stdout

    def test_another_model_for_one_question(
        self, indexer: RunningIndexer, model: ScriptedModelServer
    ) -> None:
        with ScriptedModelServer(lambda _body: said(ANSWER)) as other:
            ask(indexer, "--model", "large", "--server", other.url, QUESTION)
            assert other.asked[-1]["model"] == "large"
        assert model.asked == []

    def test_exit_statuses(self, indexer: RunningIndexer, model: ScriptedModelServer) -> None:
        nothing = ask(indexer, "kind:image quantum chromodynamics kind:code")
        assert (nothing.returncode, "no model was asked" in nothing.stdout) == (1, True)
        empty = ask(indexer)
        assert (empty.returncode, "no question" in empty.stderr) == (2, True)

        def fails(_body: Any) -> Iterator[Any]:
            raise Refusal(500, "out of memory")
            yield

        model.script = fails
        for options in ((), ("--json",)):
            failed = ask(indexer, *options, QUESTION)
            assert (failed.returncode, "out of memory" in failed.stderr) == (2, True)

    def test_what_can_be_asked(self, indexer: RunningIndexer, model: ScriptedModelServer) -> None:
        listed = ask(indexer, "--servers")
        assert listed.returncode == 0
        assert f"Asked: small at {model.url}" in listed.stdout
        told = json.loads(ask(indexer, "--servers", "--json").stdout)
        assert told["server"] == model.url

    def test_ctrl_c_stops_the_model(
        self, indexer: RunningIndexer, model: ScriptedModelServer
    ) -> None:
        model.script = endless(model)
        process = subprocess.Popen(
            command(indexer, QUESTION), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with process:
            until(lambda: model.asked)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130
        assert model.gone.wait(PATIENCE)

    def test_another_machine_is_an_error_where_nobody_types(
        self, indexer: RunningIndexer, model: ScriptedModelServer
    ) -> None:
        done = ask(indexer, "--server", "http://192.0.2.7:9/v1", QUESTION)
        assert done.returncode == 2
        assert "another machine" in done.stderr
        assert "inkling ask" in done.stderr

    @pytest.mark.parametrize(
        ("typed", "said_then", "confirmed"),
        [("\n", "Nothing was asked", ""), ("192.0.2.9\n", "is not the machine", "")],
    )
    def test_its_name_is_typed_on_a_terminal(
        self, indexer: RunningIndexer, typed: str, said_then: str, confirmed: str
    ) -> None:
        """Where it is typed rightly it would be asked; tests ask no other machine."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command(indexer, "--server", "http://192.0.2.7:9/v1", QUESTION),
            stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        os.close(theirs)
        shown = ""
        try:
            while "Type its name" not in shown:
                shown += os.read(ours, 4096).decode()
            os.write(ours, typed.encode())
            while said_then not in shown:
                shown += os.read(ours, 4096).decode()
            assert process.wait(PATIENCE) == 2
        finally:
            process.kill()
            os.close(ours)
            indexer.client.call("PATCH", "/v1/settings", {"ask_server": ""})
        assert "192.0.2.7 is another machine" in shown
        assert "unencrypted" in shown
        values = indexer.client.call("GET", "/v1/settings")["values"]
        assert values["ask_confirmed"] == confirmed


@pytest.mark.parametrize("session", [over_stdio, over_http])
class TestAgents:
    def test_an_answer_with_its_sources(
        self, indexer: RunningIndexer, model: ScriptedModelServer, session: Any
    ) -> None:
        AgentLog(indexer.base).clear()
        model.script = lambda _body: said(f"{ANSWER} Bread is popular.")

        async def work(client: Client) -> None:
            told = await answer(client, "ask", question=QUESTION)
            assert told["answer"] == [
                {"text": "It is fed every evening.", "sources": [1], "doubtful": []}
            ]
            assert told["sources"][0]["path"] == str(indexer.folder / "bread.md")
            assert told["sources"][0]["uri"].startswith("inkling://file/")
            assert (told["dropped"], told["complete"], told["weak"]) == (1, True, False)

        session(indexer, work)
        (noted,) = AgentLog(indexer.base).entries()
        assert noted.tool == "ask"
        assert str(indexer.folder / "bread.md") in noted.files

    def test_without_a_server_that_is_said(
        self, indexer: RunningIndexer, model: ScriptedModelServer, session: Any
    ) -> None:
        model.close()

        async def work(client: Client) -> None:
            assert "No language model answers" in await refusal(client, "ask", question=QUESTION)

        session(indexer, work)

    def test_an_agent_chooses_neither_server_nor_model(
        self, indexer: RunningIndexer, model: ScriptedModelServer, session: Any
    ) -> None:
        async def work(client: Client) -> None:
            (tool,) = [t for t in (await client.list_tools()).tools if t.name == "ask"]
            assert tool.input_schema["properties"].keys() == {"question", "plain"}
            with anyio.fail_after(PATIENCE):
                await client.call_tool(
                    "ask", {"question": QUESTION, "server": "http://192.0.2.7:9/v1", "model": "x"}
                )

        session(indexer, work)
        assert [body["model"] for body in model.asked] in ([], ["small"])
