"""Routes for asking: an answer as it comes, what can be asked, and confirming another machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio.to_thread
from anyio import CancelScope
from msgspec import Meta, Struct
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from engine.contract import codec
from engine.contract.asking import Event, Turn
from indexer.asking.question import Question
from indexer.server.ports import Asking, Search
from indexer.server.request_types import (
    MAX_QUERY,
    Nothing,
    as_value,
    checked_filters,
    checked_path,
    checked_text,
    get,
    post,
)

#: Of a conversation that goes along, and places that are kept of each turn.
MOST_TURNS, MOST_UNITS = 50, 100
MAX_ANSWER, MAX_UNIT, MAX_NAME = 100_000, 200, 500

Name = Annotated[str, Meta(max_length=MAX_NAME)]


class AskedTurn(Struct):
    """A question and its answer, earlier in the same conversation."""

    question: Annotated[str, Meta(max_length=MAX_QUERY)]
    answer: Annotated[str, Meta(max_length=MAX_ANSWER)] = ""
    units: Annotated[
        list[Annotated[str, Meta(max_length=MAX_UNIT)]], Meta(max_length=MOST_UNITS)
    ] = []

    def turn(self) -> Turn:
        """As the engine has it."""
        return Turn(checked_text(self.question), _text(self.answer), tuple(self.units))


class AskedQuestion(Struct):
    """What is to be answered; beside it what a search takes, too."""

    question: str
    turns: Annotated[list[AskedTurn], Meta(max_length=MOST_TURNS)] = []
    filters: dict[str, Any] | None = None
    image: str | None = None
    plain: bool | list[str] = False
    model: Name = ""
    server: Name = ""

    def __post_init__(self) -> None:
        self.question = checked_text(self.question).strip()
        if not self.question:
            raise ValueError("a question is expected")
        self.image = None if self.image is None else checked_path(self.image)


class AskedConfirmation(Struct):
    """The name of another machine, as it was typed."""

    host: Name


def asking_routes(port: Asking, search: Search) -> list[Route]:
    """Under /v1."""

    async def answer(asked: AskedQuestion) -> Response:
        query = await anyio.to_thread.run_sync(
            lambda: search.query(
                asked.question,
                image=asked.image,
                filters=checked_filters(asked.filters),
                plain=asked.plain,
            )
        )
        turns = tuple(turn.turn() for turn in asked.turns)
        events = port.answer(Question(query, asked.question, turns, asked.model, asked.server))
        first = await anext(events)  # what is wrong from the start is an error, not a broken stream
        return _Answer(first, events)

    async def servers(_: Nothing) -> Response:
        return as_value(await port.servers())

    async def confirm(asked: AskedConfirmation) -> Response:
        return as_value(await port.confirm(asked.host))

    return [
        post("/v1/ask", AskedQuestion, answer),
        get("/v1/ask/servers", Nothing, servers),
        post("/v1/ask/confirm", AskedConfirmation, confirm),
    ]


class _Answer(StreamingResponse):
    """Events, one a line. However it ends, the model is stopped with it."""

    def __init__(self, first: Event, rest: AsyncIterator[Event]) -> None:
        super().__init__(_lines(first, rest), media_type="application/x-ndjson")
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await self.body_iterator.aclose()  # type: ignore[attr-defined]
                await self._rest.aclose()  # type: ignore[attr-defined]


async def _lines(first: Event, rest: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    yield codec.encode(first) + b"\n"
    async for event in rest:
        yield codec.encode(event) + b"\n"


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8")
