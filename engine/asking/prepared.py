"""A prompt that is ready to go, and what reads the answer to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from engine.asking import prompting
from engine.asking.reader import AnswerReader
from engine.asking.support import Given, SourceProver
from engine.contract.asking import Source
from engine.contract.types import Notice
from engine.search.token_matches import TokenMatches
from engine.store import Row


@dataclass(frozen=True, slots=True)
class Room:
    """What a language model takes."""

    tokens: int  # of the prompt, at most: its context without what the answer needs
    count: Callable[[str], int]  # tokens of a text, by its own tokeniser
    sees: bool = False
    picture_tokens: int = 0  # of one picture


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What a prompt is made of beside its sources."""

    fence: prompting.Fence
    question: str
    turns: Sequence[prompting.Message]
    where: Mapping[int, str]  # by source: file, page, heading
    rows: Mapping[int, Sequence[Row]]  # by source: its units
    picture_tokens: int
    matches: Callable[[str], TokenMatches]
    model_id: str  # of the encoder


@dataclass(slots=True, eq=False)
class Prepared:
    """Sources in their order of relevance; none where nothing matches well."""

    sources: tuple[Source, ...] = ()
    weak: bool = False
    tokens: int = 0  # of the whole prompt; of pictures as the room says
    notices: tuple[Notice, ...] = ()
    frame: Frame | None = None  # where there are sources

    @property
    def pictures(self) -> tuple[Source, ...]:
        """Those whose pixels are wanted; the hit has path and page."""
        return tuple(source for source in self.sources if source.given != "text")

    def without_picture(self, number: int) -> None:
        """Where a picture can't be had: give its text alone, or nothing of it."""
        if self.frame is None or number not in {source.number for source in self.pictures}:
            return
        kept = list[Source]()
        for source in self.sources:
            if source.number == number:
                self.tokens -= self.frame.picture_tokens
                if not source.text:
                    continue
                less = source.tokens - self.frame.picture_tokens
                source = structs.replace(source, given="text", tokens=less)
            kept.append(source)
        self.sources = tuple(kept)
        self.weak = self.weak or not kept

    def messages(self, pictures: Mapping[int, bytes]) -> list[dict[str, Any]]:
        """The chat, as OpenAI's API takes it. `pictures`: PNG or JPEG by number; of one that is
        missing or of another form only the text goes."""
        if self.frame is None:
            return []
        urls = {n: url for n, data in pictures.items() if (url := prompting.picture_url(data))}
        for source in self.pictures:
            if source.number not in urls:
                self.without_picture(source.number)
        messages = [prompting.message(role, text) for role, text in self._before()]
        parts = self._parts()
        if len(parts) == 1:
            return [*messages, prompting.message("user", str(parts[0]))]
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": urls[part]}}
            if isinstance(part, int)
            else {"type": "text", "text": part}
            for part in parts
        ]
        return [*messages, prompting.message("user", content)]

    def prompt(self) -> tuple[tuple[str, str], ...]:
        """What a person is shown of it: role and text of each message."""
        if self.frame is None:
            return ()
        shown = (f"[picture of {p}]" if isinstance(p, int) else p for p in self._parts())
        return (*self._before(), ("user", "\n".join(shown)))

    def reader(self) -> AnswerReader:
        """What reads the answer to it."""
        known = self.frame
        if known is None:
            return AnswerReader(SourceProver("", _nothing, {}))
        given = {
            n: Given(known.rows[n], source.text, source.given != "text", known.where[n])
            for source in self.sources
            for n in (source.number,)
        }
        return AnswerReader(SourceProver(known.model_id, known.matches, given, known.question))

    def _before(self) -> list[prompting.Message]:
        assert self.frame is not None
        return [("system", prompting.RULES), *self.frame.turns]

    def _parts(self) -> list[str | int]:
        known = self.frame
        assert known is not None
        return prompting.parts(known.fence, self.sources, known.where, known.question)


def _nothing(text: str) -> TokenMatches:
    raise AssertionError(f"there are no sources for {text}")
