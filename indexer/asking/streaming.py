"""The stream of one answer: opened with what a server takes, read with patience, ended at once.

Loads the client library.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexer.asking import failures
from indexer.asking.client import Counted

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Seconds until the first token: a large model is read from the disk first, then the prompt.
FIRST_S = 900.0
#: Seconds between two tokens.
IDLE_S = 120.0
#: Seconds without a word after which there is a sign of life.
SIGN_S = 10.0
#: Low: an answer is to say what stands there.
_TEMPERATURE = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer."""

    text: str = ""
    thought: str = ""  # of models that think first; nobody is shown it
    reason: str = ""  # why it ended, in the last piece
    prompt_tokens: int = 0  # where the server says how many it read


class Stream:
    """One request. None stands for a sign of life; errors are the library's, or InklingError."""

    def __init__(self, client: AsyncOpenAI, url: str) -> None:
        self._client, self._url = client, url
        self._stream: Any = None
        self._waiting: asyncio.Future[Any] | None = None
        self._begun = False

    async def open(
        self, model: str, messages: list[dict[str, Any]], most: int
    ) -> AsyncIterator[None]:
        """Send the request; parameters that the server does not know are left out."""
        asked: dict[str, Any] = {
            "max_tokens": most,
            "temperature": _TEMPERATURE,
            "stream_options": {"include_usage": True},
        }
        create: Any = self._client.chat.completions.create
        while True:
            opening = create(model=model, messages=messages, stream=True, **asked)
            try:
                async for sign in self._signs(opening, FIRST_S):
                    yield sign
                assert self._waiting is not None
                self._stream = self._waiting.result()
                return
            except Exception as error:
                name = "" if failures.too_long(error) else failures.unknown(error, tuple(asked))
                if not name:
                    raise
                value = asked.pop(name)
                if name == "max_tokens":
                    asked["max_completion_tokens"] = value

    async def parts(self) -> AsyncIterator[Part | None]:
        """What comes, until the model is done."""
        rows = aiter(self._stream)
        reason = ""
        while True:
            async for sign in self._signs(anext(rows, None), IDLE_S if self._begun else FIRST_S):
                yield sign
            assert self._waiting is not None
            row = self._waiting.result()
            if row is None:
                break
            self._begun = True
            part = _part(row)
            reason = part.reason or reason
            yield part
        if not reason and not self._ended:
            raise failures.died(self._url)

    async def close(self) -> None:
        """The server hears at once that nobody listens any more."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._waiting
        if self._stream is not None:
            with suppress(Exception):
                await self._stream.close()

    async def _signs(self, work: Any, patience: float) -> AsyncIterator[None]:
        """Wait for something; InklingError when patience is at its end."""
        task = self._waiting = asyncio.ensure_future(work)
        began = time.monotonic()
        while True:
            left = patience - (time.monotonic() - began)
            done, _ = await asyncio.wait({task}, timeout=min(SIGN_S, max(left, 0.0)))
            if done:
                return
            if left <= SIGN_S:
                raise failures.slow(self._url, patience)
            yield None

    @property
    def _ended(self) -> bool:
        """Whether the server said that this was all."""
        counted = self._stream.response.extensions.get("counted")
        return isinstance(counted, Counted) and counted.ended


def _part(row: Any) -> Part:
    """Of what the library read. What tools the model asks for is passed over: it has none."""
    usage = getattr(row.usage, "prompt_tokens", 0)
    tokens = usage if isinstance(usage, int) else 0
    choice = row.choices[0] if row.choices else None
    delta = getattr(choice, "delta", None)
    if choice is None or delta is None:
        return Part(prompt_tokens=tokens)
    more = delta.model_extra or {}
    thought = more.get("reasoning_content") or more.get("reasoning") or ""
    text = delta.content if isinstance(delta.content, str) else ""
    return Part(text, str(thought), str(choice.finish_reason or ""), tokens)
