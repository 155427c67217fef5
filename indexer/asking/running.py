"""One answer as it comes: search, the request, the stream, and what may go wrong on the way.

Loads the client library: imported where something is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from anyio import CancelScope

from engine.asking.prepared import Prepared, Room
from engine.contract.asking import Draft, Ending, Event, Failed, Finished, Found, Source
from engine.contract.errors import InklingError
from engine.contract.notices import notice
from indexer.asking import failures
from indexer.asking.addresses import Address
from indexer.asking.client import connect
from indexer.asking.counting import Counter
from indexer.asking.streaming import Stream

if TYPE_CHECKING:
    from indexer.asking.client import Client

#: Tokens an answer may have at least and, where the context has room, at most. Models that think
#: first need more than their answer is long.
_LEAST_ANSWER, _MOST_RESERVED, _MOST_ANSWER = 256, 1_024, 4_096
#: Tokens of a chat's own signs around messages.
_SIGNS = 64
#: Letters of a token, at most on average: what is longer than that allows does not end by itself.
_LETTERS = 16
#: Of one picture, about a megapixel, as most models that see count it.
PICTURE_TOKENS = 1_300


@dataclass(slots=True)
class Target:
    """Which model is asked where, and what is known of it."""

    address: Address
    local: bool
    model: str
    key: str = ""
    context: int = 4_096  # tokens for prompt and answer
    longest: int | None = None  # what the model itself could read, where that is known
    sees: bool = False
    counter: Counter = field(default_factory=Counter)
    #: Asks the server to count; a new request each.
    count: Callable[[Client, str], Coroutine[Any, Any, int | None]] | None = None
    started: float = field(default_factory=time.perf_counter)
    #: Called where pictures turned out not to be taken.
    blind: Callable[[], None] = lambda: None


class _AgainError(Exception):
    """The same question once more, with less."""


async def answer(
    target: Target,
    prepare: Callable[[Room], Prepared],
    draw: Callable[[Source], bytes | None],
) -> AsyncIterator[Event]:
    """The events of one answer. InklingError before the first; closing it ends the request."""
    run = _Run(target, prepare, draw)
    try:
        async for event in run.events():
            yield event
    finally:
        with CancelScope(shield=True):
            await run.close()


class _Run:
    def __init__(
        self,
        target: Target,
        prepare: Callable[[Room], Prepared],
        draw: Callable[[Source], bytes | None],
    ) -> None:
        self._target, self._prepare, self._draw = target, prepare, draw
        self._client = connect(target.address, target.key, local=target.local)
        self._stream: Stream | None = None
        self._sees, self._context = target.sees, target.context
        self._tried = set[str]()
        self._found_ms = self._first_ms = 0.0

    async def close(self) -> None:
        """The server hears at once that nobody listens any more."""
        if self._stream is not None:
            await self._stream.close()
        await self._client.close()

    async def events(self) -> AsyncIterator[Event]:
        told = False
        while True:
            try:
                prepared = await anyio.to_thread.run_sync(self._prepared)
                pictures = await self._drawn(prepared)
                self._found_ms = self._ms()
                yield self._found(prepared)
                told = True
                if prepared.weak or not prepared.sources:
                    took = self._ms()
                    yield Finished("nothing", found_ms=self._found_ms, took_ms=took)
                    return
                async for event in self._asked(prepared, pictures):
                    yield event
                return
            except _AgainError:
                continue
            except InklingError as error:
                if not told:
                    raise
                yield Failed(error.as_data())
                return

    # What goes into it

    def _prepared(self) -> Prepared:
        answer = self._reserved
        room = Room(
            max(_LEAST_ANSWER, self._context - answer - _SIGNS),
            self._target.counter.for_question(self._asks()),
            self._sees,
            PICTURE_TOKENS,
        )
        return self._prepare(room)

    @property
    def _reserved(self) -> int:
        return min(max(self._context // 4, _LEAST_ANSWER), _MOST_RESERVED)

    def _asks(self) -> Callable[[str], int | None] | None:
        """From the thread that searches, the server's own count."""
        counted = self._target.count
        if counted is None:
            return None

        def ask(text: str) -> int | None:
            return anyio.from_thread.run(counted, self._client, text)

        return ask

    async def _drawn(self, prepared: Prepared) -> dict[int, bytes]:
        """The pictures that are wanted and can be had; the others go as text."""
        wanted = prepared.pictures if not prepared.weak else ()
        drawn = await asyncio.gather(
            *(anyio.to_thread.run_sync(self._draw, source) for source in wanted)
        )
        pictures = {}
        for source, picture in zip(wanted, drawn, strict=True):
            if picture is None:
                prepared.without_picture(source.number)
            else:
                pictures[source.number] = picture
        return pictures

    # The request and its answer

    async def _asked(
        self, prepared: Prepared, pictures: Mapping[int, bytes]
    ) -> AsyncIterator[Event]:
        """The model's sentences; _AgainError where less might go."""
        try:
            async for event in self._read(prepared, pictures):
                yield event
        except (InklingError, _AgainError):
            raise
        except Exception as error:
            if not self._first_ms:
                self._less(error, pictures)
            url, model = self._target.address.url, self._target.model
            begun = bool(self._first_ms)
            raise failures.readable(error, url, model, begun=begun) from error

    async def _read(
        self, prepared: Prepared, pictures: Mapping[int, bytes]
    ) -> AsyncIterator[Event]:
        target, reader, most = self._target, prepared.reader(), self._most(prepared)
        stream = self._stream = Stream(self._client, target.address.url)
        async for _ in stream.open(target.model, prepared.messages(pictures), most):
            yield Draft("")
        said = 0
        ending: Ending = "complete"
        async for part in stream.parts():
            if part is None:
                yield Draft("")
                continue
            said += len(part.text) + len(part.thought)
            if part.text:
                self._first_ms = self._first_ms or self._ms()
                for event in await anyio.to_thread.run_sync(reader.read, part.text):
                    yield event
            if part.prompt_tokens and not pictures and target.count is None:
                target.counter.correct(prepared.tokens, part.prompt_tokens)
            if part.reason == "length" or said > most * _LETTERS:
                ending = "length"
            if said > most * _LETTERS:
                break
        if not self._first_ms:
            raise failures.silent(target.model)
        for event in await anyio.to_thread.run_sync(reader.end):
            yield event
        counts = (reader.dropped, reader.doubtful)
        notices = () if reader.failed is None else (notice("unproven"),)
        yield Finished(ending, *counts, self._found_ms, self._first_ms, self._ms(), notices)

    def _less(self, error: Exception, pictures: Mapping[int, bytes]) -> None:
        """_AgainError where an error says that less is taken, once for each kind of less."""
        if pictures and failures.blind(error) and "pictures" not in self._tried:
            self._tried.add("pictures")
            self._sees = False
            self._target.blind()
            raise _AgainError from error
        if failures.too_long(error) and "room" not in self._tried:
            self._tried.add("room")
            self._context //= 2
            raise _AgainError from error

    def _most(self, prepared: Prepared) -> int:
        """Tokens the answer may have."""
        if "room" in self._tried:  # how much there is was not known after all
            return self._reserved
        left = (self._target.longest or self._context) - int(prepared.tokens * 1.1) - _SIGNS
        return max(self._reserved, min(_MOST_ANSWER, left))

    # What is told

    def _ms(self) -> float:
        return (time.perf_counter() - self._target.started) * 1000.0

    def _found(self, prepared: Prepared) -> Found:
        weak = prepared.weak or not prepared.sources
        return Found(
            sources=prepared.sources,
            model=self._target.model,
            server=self._target.address.url,
            local=self._target.local,
            sees=self._sees,
            tokens=0 if weak else prepared.tokens,
            room=self._context,
            weak=weak,
            notices=tuple(prepared.notices),
            prompt=() if weak else prepared.prompt(),
        )
