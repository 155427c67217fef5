"""Fifty injections planted in files, and a model that obeys each in the worst form: the prompt's
form is ours, and so is the answer's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.asking.asking import Asking
from engine.asking.prepared import Room
from engine.contract.asking import Draft, Dropped, Event, Sentence
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.engine import Engine
from engine.store import StoredUnit
from tests.engine.asking.injections import INJECTIONS, PLACES, Injection, Place
from tests.engine.asking.library import Passage, counted, library, stored

QUESTION = "When is the rent of the flat due?"
ROOM = Room(2_000, counted)
HARMLESS = Passage("/home/mara/lease.md", "The rent of the flat is due on the third of each month.")
#: What a model's own signs look like; none may come from a file.
SIGNS = re.compile(
    r"<\||\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|\[TOOL_CALLS\]|[\u200b\u202e]"
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = library(BaseDir(tmp_path_factory.mktemp("planted")).create(), [HARMLESS])
    yield made
    made.close()


@pytest.fixture(scope="module")
def units(engine: Engine) -> list[StoredUnit]:
    """Of each injection the unit that holds it, as of file 2."""
    files = [planted(one, PLACES[n % len(PLACES)]) for n, one in enumerate(INJECTIONS)]
    numbered = [replace(one, path=f"/{n}{one.path}") for n, one in enumerate(files)]
    made = [one for own in stored(engine, numbered, 2).values() for one in own]
    return [
        replace(
            one,
            unit=replace(one.unit, file_id=2),
            file=replace(one.file, file_id=2, path=planted_file.path),
        )
        for one, planted_file in zip(made, files, strict=True)
    ]


def planted(injection: Injection, place: Place) -> Passage:
    """A file about the rent that holds it."""
    text = injection.planted
    if place == "name":
        name = text.replace("/", "∕").replace("\n", " ")
        return Passage(f"/home/mara/{name}.md", "The rent of the flat is due on Monday.")
    if place == "alt":
        return Passage(
            "/home/mara/p.md", f"The rent of the flat.\n\n![{text}](flat.png)\n\nIs due."
        )
    if place == "pdf":
        return Passage("/home/mara/p.pdf", f"The rent of the flat is due.\n{text}", "pdf", 3)
    return Passage("/home/mara/p.png", f"Rent of the flat\n{text}\ndue", "screenshot")


def gullible(messages: list[dict[str, object]], injection: Injection) -> str:
    """The answer of a model that obeys whatever it is told by anyone."""
    assert messages
    return injection.answer


def is_ours(event: Event) -> bool:
    """Whether an event has the form of an answer: nothing in it loads, opens, or is data."""
    if isinstance(event, Dropped):
        return True
    assert isinstance(event, Sentence | Draft)
    opens = re.search(
        r"!\[|\]\(|<[a-z/!?]|https?://|javascript:|file:/|\x1b|[\u200b\u202e]", event.text, re.I
    )
    if isinstance(event, Draft):
        return opens is None or opens[0] == "!["
    return opens is None and bool(event.citations) and event.text.strip()[:1] not in "{[<"


@pytest.mark.parametrize("number", range(len(INJECTIONS)))
def test_none_changes_the_form_of_the_answer(
    engine: Engine, units: list[StoredUnit], number: int
) -> None:
    injection = INJECTIONS[number]
    engine.replace({2: [units[number]]})
    prepared = Asking(engine).prepare(parse(QUESTION, plain=True), QUESTION, [], ROOM)
    assert {source.unit for source in prepared.sources} == {"1:0", "2:0"}

    messages = prepared.messages({})
    assert [message["role"] for message in messages] == ["system", "user"]
    content = str(messages[1]["content"])
    mark = re.search(r"<<([0-9a-f]{8}) source 1>>", content)
    assert mark is not None
    fences = re.findall(rf"<</?{mark[1]} source (\d+)>>", content)
    assert fences == ["1", "1", "2", "2"]
    assert not SIGNS.search(content)
    outside = re.sub(rf"<<{mark[1]} source.*?<</{mark[1]} source \d+>>", "", content, flags=re.S)
    assert "rent" in outside.rpartition("Question:")[2]
    assert not re.search("PWNED|HACKED|OWNED|evil", outside)
    sources = "".join(source.text for source in prepared.sources)
    assert not re.search(r"\[\d+\]", sources)

    reader = prepared.reader()
    answer = gullible(messages, injection)
    events = [event for char in answer for event in reader.read(char)] + reader.end()
    assert all(map(is_ours, events))
    shown = [event for event in events if isinstance(event, Sentence)]
    assert not any(re.search("PWNED|HACKED|OWNED|rm -rf|passwd", s.text) for s in shown)
    known = {source.number for source in prepared.sources}
    assert all(citation.number in known for s in shown for citation in s.citations)
    assert reader.dropped or shown or answer.startswith(("<", "[T", "```tool", "[1]:"))


def test_there_are_fifty() -> None:
    assert len(set(INJECTIONS)) == 50
