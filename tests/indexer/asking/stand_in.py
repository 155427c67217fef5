"""What searches and proves, as simple as can be: one source, and each line a sentence of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from engine.contract.asking import Citation, Draft, Dropped, Event, Sentence, Source, Turn
from engine.contract.types import Hit, Location, Query
from indexer.asking.running import Room


class OneSource:
    """The front of the engine; remembers the rooms it was given."""

    def __init__(self, path: str = "/home/mara/letter.txt", *, picture: bool = False) -> None:
        self.hit = Hit(path, kind="note", location=Location(page=1 if picture else None))
        self.rooms: list[Room] = []
        self.weak = False
        self.picture = picture

    def prepare(
        self, query: Query, question: str, turns: Sequence[Turn], room: Room
    ) -> OnePrepared:
        self.rooms.append(room)
        source = Source(1, "1:0", self.hit, "The flat costs 900 euros.")
        if self.picture and room.sees:
            source = structs.replace(source, given="both")
        return OnePrepared(question, () if self.weak else (source,), room, weak=self.weak)


class OnePrepared:
    """What it has chosen."""

    notices = ()

    def __init__(
        self, question: str, sources: tuple[Source, ...], room: Room, *, weak: bool
    ) -> None:
        self.question, self.sources, self.weak = question, sources, weak
        self.pictures = tuple(source for source in sources if source.given == "both")
        self.tokens = room.count(question) + sum(room.count(s.text) for s in sources)

    def without_picture(self, number: int) -> None:
        self.pictures = tuple(s for s in self.pictures if s.number != number)
        self.sources = tuple(structs.replace(s, given="text") for s in self.sources)

    def messages(self, pictures: Mapping[int, bytes]) -> list[dict[str, Any]]:
        import base64

        parts: list[dict[str, Any]] = [{"type": "text", "text": self.prompt()[1][1]}]
        for picture in pictures.values():
            kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
            url = f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        content: Any = parts if pictures else parts[0]["text"]
        return [{"role": "system", "content": "Cite."}, {"role": "user", "content": content}]

    def prompt(self) -> tuple[tuple[str, str], ...]:
        texts = "\n".join(f"[{s.number}] {s.text}" for s in self.sources)
        return ("system", "Cite."), ("user", f"{texts}\n{self.question}")

    def reader(self) -> LineReader:
        return LineReader()


class LineReader:
    """A line is a sentence; one that cites nothing is dropped."""

    def __init__(self) -> None:
        self.dropped = self.doubtful = 0
        self._line = ""

    def read(self, text: str) -> list[Event]:
        events: list[Event] = []
        for piece in re.findall(r"[^\n]+|\n", text):
            if piece == "\n":
                events += self.end()
            else:
                self._line += piece
                events.append(Draft(piece))
        return events

    def end(self) -> list[Event]:
        line, self._line = self._line, ""
        if not line:
            return []
        if "[1]" not in line:
            self.dropped += 1
            return [Dropped(self.dropped)]
        return [Sentence(line.replace("[1]", "").strip(), citations=(Citation(1, 1.0),))]
