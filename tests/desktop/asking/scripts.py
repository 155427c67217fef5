"""Answers as a server would stream them: what tests, and pictures of the window, are made with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.contract import codec
from engine.contract.asking import (
    Citation,
    Draft,
    Event,
    Finished,
    Found,
    HowTo,
    LanguageServer,
    Sentence,
    ServedModel,
    Servers,
    Source,
)
from engine.contract.types import Hit, Location
from tests.desktop.scripted_indexer import hit

OLLAMA = LanguageServer(
    "http://127.0.0.1:11434/v1",
    "Ollama",
    models=(ServedModel("qwen2.5vl:7b", sees=True, context=32_768), ServedModel("llama3.2:3b")),
)
ONE = Servers((OLLAMA,), OLLAMA.url, "qwen2.5vl:7b")
NONE = Servers(
    how_to=(
        HowTo(
            "Ollama",
            ("curl -fsSL https://ollama.com/install.sh | sh", "ollama pull qwen2.5vl:7b"),
            "https://ollama.com",
        ),
        HowTo("llama.cpp", ("llama-server -hf ggml-org/gemma-3-4b-it-GGUF",), "https://llama.app"),
    )
)


def source(number: int, path: str, text: str = "", **place: Any) -> Source:
    """A source at a place of a file."""
    found = codec.from_data(hit(path, snippet=text, title=path.rsplit("/", 1)[-1]), Hit)
    at = Location(page=place.get("page"), lines=place.get("lines"))
    kind = place.get("kind", "note")
    return Source(
        number,
        f"{number}:0",
        Hit(path, kind, title=found.title, snippet=text, location=at, mtime=found.mtime),
        text,
        place.get("given", "text"),
        place.get("tokens", 120 * number),
    )


def found(sources: Sequence[Source], **more: Any) -> Found:
    given = {"model": "qwen2.5vl:7b", "server": OLLAMA.url, "sees": True, "tokens": 1_840}
    prompt = (("system", "Answer from the sources alone."), ("user", "[1] …\n\nQuestion: …"))
    return Found(tuple(sources), **{**given, "room": 8_000, "prompt": prompt, **more})


def said(text: str, *numbers: int, before: str = " ", support: float | None = 0.9) -> Sentence:
    """A sentence that cites sources; a negative number: doubtfully."""
    citations = tuple(
        Citation(abs(number), 0.2 if number < 0 else support, number < 0) for number in numbers
    )
    return Sentence(text, before, citations)


def streamed(sentence: Sentence) -> Iterator[Event]:
    """A sentence as it comes: word by word, then proven."""
    marks = "".join(f"[{one.number}]" for one in sentence.citations)
    words = f"{sentence.before}{sentence.text} {marks}".split(" ")
    for number, word in enumerate(words):
        yield Draft(word if not number else f" {word}")
    yield sentence


def answer(sources: Sequence[Source], *sentences: Sentence, dropped: int = 0) -> list[Event]:
    """A whole answer."""
    events: list[Event] = [found(sources)]
    for sentence in sentences:
        events += streamed(sentence)
    doubtful = sum(one.doubtful for each in sentences for one in each.citations)
    return [*events, Finished("complete", dropped=dropped, doubtful=doubtful)]
