"""One answer as it comes: what is sent, what is made of the stream, and everything that may go
wrong between Inkling and a server, against a scripted one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.asking.support import SourceProver
from engine.contract.asking import Draft, Dropped, Event, Failed, Finished, Found, Sentence
from engine.contract.errors import InklingError
from indexer.asking import streaming
from tests.indexer.asking.conftest import PICTURE, Asked
from tests.scripted_model_server import (
    Dies,
    Refusal,
    ScriptedModelServer,
    endless,
    said,
    silent,
)
from tests.waiting import PATIENCE

ANSWER = "It costs 900 euros a month [1]."
#: A sentence stands when the next one has begun.
BEGUN = f"{ANSWER} And it is near the harbour, which"


def sentences(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Sentence)]


def error(events: list[Event]) -> str:
    """Of an answer that failed: the sentence and what to do next."""
    last = events[-1]
    assert isinstance(last, Failed)
    made = InklingError.of(last.error)
    assert made.message.endswith(".")
    assert made.hint
    return made.message


def parts(*deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]


class TestAnAnswer:
    def test_it_streams_and_is_proven(self, asked: Asked, server: ScriptedModelServer) -> None:
        server.script = lambda _body: said("It costs ", "900 euros", " a month [1]", ". ", "Yes.")
        events = asked.events()
        found, last = events[0], events[-1]
        assert isinstance(found, Found)
        assert isinstance(last, Finished)
        assert found.sources[0].hit.path == "/home/mara/offer.pdf"
        assert sentences(events) == ["It costs 900 euros a month."]
        assert [e.count for e in events if isinstance(e, Dropped)] == [1]
        assert [e for e in events if isinstance(e, Draft)]
        assert (last.ending, last.dropped, last.doubtful) == ("complete", 1, 0)
        assert 0 < last.found_ms < last.first_ms < last.took_ms

    def test_what_is_sent(self, asked: Asked, server: ScriptedModelServer) -> None:
        asked.events()
        (body,) = server.asked
        assert body["model"] == "small"
        assert body["stream"] is True
        assert body["stream_options"] == {"include_usage": True}
        assert body["temperature"] < 0.5
        assert 256 <= body["max_tokens"] <= 4_096
        assert body.keys() & {"tools", "tool_choice", "functions", "user", "metadata"} == set()
        assert [message["role"] for message in body["messages"]] == ["system", "user"]

    def test_a_full_room_is_told(self, asked: Asked, server: ScriptedModelServer) -> None:
        server.script = lambda _body: said(ANSWER, ending="length")
        *_, last = asked.events()
        assert isinstance(last, Finished)
        assert last.ending == "length"

    def test_one_that_never_ends_is_cut_off(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        flood = "word " * 20_000
        server.script = endless(server, said(flood, flood, ending=None))
        *_, last = asked.events()
        assert isinstance(last, Finished)
        assert last.ending == "length"
        assert server.gone.wait(PATIENCE)

    def test_what_was_not_measured_is_said_at_the_end(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_prover: SourceProver, _text: str) -> None:
            _prover.failed = InklingError("The encoder ended.", hint="Try again.")

        monkeypatch.setattr(SourceProver, "_read", fails)
        server.script = lambda _body: said(ANSWER)
        events = asked.events()
        [sentence] = [event for event in events if isinstance(event, Sentence)]
        assert [one.support for one in sentence.citations] == [None]
        assert isinstance(events[-1], Finished)
        assert [notice.code for notice in events[-1].notices] == ["unproven"]

    def test_thoughts_are_not_shown(self, asked: Asked, server: ScriptedModelServer) -> None:
        thoughts = parts({"reasoning_content": "Secretly [1]."}, {"reasoning": "Hm [1]."})
        server.script = lambda _body: [*thoughts, *said(ANSWER)]
        events = asked.events()
        assert sentences(events) == ["It costs 900 euros a month."]
        assert "Secretly" not in str(events[1:])

    def test_tools_are_not_called(self, asked: Asked, server: ScriptedModelServer) -> None:
        call = {"index": 0, "id": "1", "function": {"name": "shell", "arguments": '{"c":"ls"}'}}
        server.script = lambda _body: [
            *said(ANSWER, ending=None),
            *parts({"tool_calls": [call]}),
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        ]
        events = asked.events()
        assert sentences(events) == ["It costs 900 euros a month."]
        assert len(server.asked) == 1
        assert "shell" not in str(events[1:])

    def test_odd_parts_are_passed_over(self, asked: Asked, server: ScriptedModelServer) -> None:
        odd: list[Any] = [
            {"choices": []},
            {},
            {"choices": [{"index": 0, "delta": {"content": None}}]},
            {"choices": [{"index": 0, "delta": {"role": "assistant"}}]},
            {"choices": [{"index": 0}]},
            b": a comment\n\n",
            b"event: ping\ndata: {}\n\n",
        ]
        server.script = lambda _body: [*odd, *said(ANSWER)]
        assert sentences(asked.events()) == ["It costs 900 euros a month."]

    def test_a_server_that_says_no_reason_ends_with_its_mark(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        server.script = lambda _body: said(ANSWER, ending=None)
        *_, last = asked.events()
        assert isinstance(last, Finished)

    def test_nothing_that_matches_is_nothing_that_is_asked(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        found, last = asked.events("kind:image flat")
        assert isinstance(found, Found)
        assert isinstance(last, Finished)
        assert (found.weak, found.sources, last.ending) == (True, (), "nothing")
        assert [notice.code for notice in found.notices] == ["no-folders"]
        assert server.asked == []

    def test_signs_of_life_come_while_a_model_is_loaded(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streaming, "SIGN_S", 0.02)
        seen = threading.Event()

        def script(_body: Any) -> Iterator[Any]:
            seen.wait(PATIENCE)  # before a single byte
            yield from said(ANSWER)

        server.script = script
        events = asked.events(each=lambda e: seen.set() if e == Draft("") else None)
        assert Draft("") in events
        assert sentences(events) == ["It costs 900 euros a month."]


class TestWhatGoesWrong:
    @pytest.mark.parametrize(
        ("status", "message", "sentence"),
        [
            (401, "no key", "key"),
            (403, "no key", "key"),
            (404, "model 'small' not found", "no model “small”"),
            (429, "slow down", "too much to do"),
            (500, "CUDA error", "CUDA error"),
            (503, "Loading model", "Loading model"),
            (400, "bad \x1b[31mcolour\n" + "x" * 5_000, "refused"),
            (302, "elsewhere", "not followed"),
        ],
    )
    def test_a_refusal_is_a_sentence(
        self, asked: Asked, server: ScriptedModelServer, status: int, message: str, sentence: str
    ) -> None:
        def script(_body: Any) -> Iterator[Any]:
            raise Refusal(status, message, Location="http://192.0.2.1/")
            yield

        server.script = script
        told = error(asked.events())
        assert sentence in told
        assert len(told) < 500
        assert told.isprintable()
        assert len(server.asked) == 1

    def test_no_server(self, asked: Asked, server: ScriptedModelServer) -> None:
        asked.settings.ask_server = server.url
        server.close()
        with pytest.raises(InklingError, match="No language model answers") as caught:
            asked.events()
        assert "--servers" in caught.value.hint

    def test_it_is_gone_after_it_was_found(self, asked: Asked, server: ScriptedModelServer) -> None:
        events = asked.events(each=lambda e: server.close() if isinstance(e, Found) else None)
        assert "No language model answers" in error(events)

    def test_what_was_proven_before_it_died_stays(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        def script(_body: Any) -> Iterator[Any]:
            yield from said(BEGUN, ending=None)
            raise Dies

        server.script = script
        events = asked.events()
        assert sentences(events) == ["It costs 900 euros a month."]
        assert "stopped in the middle" in error(events)

    def test_an_end_without_an_end_is_none(self, asked: Asked, server: ScriptedModelServer) -> None:
        """The connection closes in order, and nothing said that this was all."""

        def script(_body: Any) -> Iterator[Any]:
            yield from said(ANSWER, ending=None)
            yield None

        server.script = script
        server.mark = b""
        assert "stopped in the middle" in error(asked.events())

    @pytest.mark.parametrize(
        "garbage",
        [b"data: {\n\n", b"data: \xff\xfe\n\n", b"data: [1, 2]\n\n", b"data: null\n\n"],
    )
    def test_garbage(self, asked: Asked, server: ScriptedModelServer, garbage: bytes) -> None:
        server.script = lambda _body: [*said(BEGUN, ending=None), garbage]
        events = asked.events()
        assert sentences(events) == ["It costs 900 euros a month."]
        assert error(events)

    def test_an_error_in_the_midst_of_a_stream(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        server.script = lambda _body: [
            *said(BEGUN, ending=None),
            b'data: {"error": {"message": "out of memory"}}\n\n',
        ]
        assert "out of memory" in error(asked.events())

    def test_silence_before_the_first_word(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streaming, "FIRST_S", 0.2)
        server.script = silent(server)
        assert "has said nothing" in error(asked.events())
        assert server.gone.wait(PATIENCE)

    def test_silence_between_two_words(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streaming, "IDLE_S", 0.2)

        def script(body: Any) -> Iterator[Any]:
            yield from said(BEGUN, ending=None)
            yield from silent(server)(body)

        server.script = script
        events = asked.events()
        assert sentences(events) == ["It costs 900 euros a month."]
        assert "has said nothing" in error(events)
        assert server.gone.wait(PATIENCE)

    def test_a_model_that_says_nothing(self, asked: Asked, server: ScriptedModelServer) -> None:
        server.script = lambda _body: [*parts({"reasoning_content": "Hm."}), *said(ending="length")]
        assert "gave no answer" in error(asked.events())


class TestLess:
    def test_parameters_that_a_server_does_not_know_are_left_out(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        def script(body: Any) -> Iterator[Any]:
            for name in ("stream_options", "temperature", "max_tokens"):
                if name in body:
                    raise Refusal(422, f"Unexpected fields in the request: {{'{name}'}}")
            yield from said(ANSWER)

        server.script = script
        assert sentences(asked.events()) == ["It costs 900 euros a month."]
        assert server.asked[-1].keys() == {"model", "messages", "stream", "max_completion_tokens"}

    @pytest.mark.parametrize(
        "message",
        [
            "This model's maximum context length is 1024 tokens. However, you requested 3000",
            "the request exceeds the available context size. try increasing the context size",
            "Trying to keep the first 3000 tokens when context the overflows",
        ],
    )
    def test_a_prompt_that_does_not_fit_is_made_shorter_once(
        self, asked: Asked, server: ScriptedModelServer, message: str
    ) -> None:
        def script(_body: Any) -> Iterator[Any]:
            if len(server.asked) == 1:
                raise Refusal(400, message)
            yield from said(ANSWER)

        server.script = script
        events = asked.events()
        rooms = [event.room for event in events if isinstance(event, Found)]
        assert rooms == [4_096, 2_048]
        assert sentences(events) == ["It costs 900 euros a month."]
        assert server.asked[1]["max_tokens"] < server.asked[0]["max_tokens"]

    def test_twice_is_enough(self, asked: Asked, server: ScriptedModelServer) -> None:
        def script(_body: Any) -> Iterator[Any]:
            raise Refusal(400, "context length exceeded")
            yield

        server.script = script
        assert "can't read so much" in error(asked.events())
        assert len(server.asked) == 2

    def test_pictures_go_along_where_the_model_sees(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.settings.ask_pictures = "always"
        server.script = lambda _body: said(ANSWER)
        found = asked.events()[0]
        assert isinstance(found, Found)
        assert found.sees
        assert found.sources[0].given == "both"
        assert asked.drawn == [("/home/mara/offer.pdf", 1)]
        content = server.asked[-1]["messages"][-1]["content"]
        (image,) = [part for part in content if part["type"] == "image_url"]
        assert image["image_url"]["url"].startswith("data:image/png;base64,")

    def test_a_picture_that_can_not_be_drawn_goes_as_text(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.settings.ask_pictures = "always"
        asked.picture = None
        found = asked.events()[0]
        assert isinstance(found, Found)
        assert found.sources[0].given == "text"
        assert "image_url" not in server.messages()

    def test_pictures_that_are_refused_go_as_text_and_are_not_tried_again(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.settings.ask_pictures = "always"

        def script(body: Any) -> Iterator[Any]:
            if "image_url" in json.dumps(body):
                raise Refusal(500, "image input is not supported - hint: provide the mmproj")
            yield from said(ANSWER)

        server.script = script
        events = asked.events()
        assert [e.sees for e in events if isinstance(e, Found)] == [True, False]
        assert sentences(events) == ["It costs 900 euros a month."]
        asked.events()
        assert len(server.asked) == 3
        assert asked.picture == PICTURE

    def test_what_the_prompt_really_took_corrects_the_estimate(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        def tokens() -> int:
            found = asked.events()[0]
            assert isinstance(found, Found)
            return found.tokens

        first = tokens()
        server.script = lambda _body: said(ANSWER, usage=first * 2)
        assert tokens() < first * 1.1
        assert first * 1.8 < tokens() < first * 2.4
