"""From a question to a prompt: real search in a real store with the real embedded model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from engine.asking.asking import Asking
from engine.asking.prepared import Prepared, Room
from engine.contract.asking import Sentence, Turn
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import WITHHELD
from engine.engine import Engine
from tests.engine.asking.library import Passage, counted, library

PNG, JPEG = b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff..."
LONG = [
    "The boiler manual begins with safety. Turn off the gas before you open the boiler's case, and "
    "keep the window open while the burner cools down. Never loosen the sealed screws.",
    "keep the window open while the burner cools down. Never loosen the sealed screws. To set the "
    "boiler's pressure, turn the black valve under the boiler slowly until the pressure shows",
    "turn the black valve under the boiler slowly until the pressure shows 1.5 bar. Close the "
    "valve again and wait for ten minutes, then look at the gauge once more.",
]
PASSAGES = [
    *(Passage("/h/boiler.pdf", text, "pdf", page=4) for text in LONG),
    Passage("/h/lease.pdf", "The deposit of 1,800 € is returned within thirty days.", "pdf", 7),
    Passage("/h/lease copy.txt", "The deposit of 1,800 € is returned within thirty days."),
    Passage("/h/wifi.png", f"Guest network boathouse, password: {WITHHELD}", "screenshot"),
    Passage("/h/gauge.png", "Boiler pressure gauge 1.5 bar", "screenshot"),
    Passage("/h/silent.png", "", "image", context="photo › gauge of a boiler, pressure"),
    Passage("/h/retry.py", "def send_again(chunk):\n    wait()", "code", symbol="send_again"),
    Passage("/h/trips.md", "In 2018 we went to Norway by train and slept in a tent by the fjord."),
    Passage("/h/trips19.md", "In 2019 we went to Portugal by car and stayed in a small hotel."),
]  # fmt: skip
TEXT = Room(3_000, counted)
SEES = Room(3_000, counted, sees=True, picture_tokens=400)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = library(BaseDir(tmp_path_factory.mktemp("asking")).create(), PASSAGES)
    yield made
    made.close()


def asked(engine: Engine, text: str, turns: Sequence[Turn] = (), room: Room = TEXT) -> Prepared:
    return Asking(engine).prepare(parse(text, plain=True), text, turns, room)


def names(prepared: Prepared) -> list[str]:
    return [source.hit.title for source in prepared.sources]


def test_neighbouring_passages_are_one_source_and_say_nothing_twice(engine: Engine) -> None:
    made = asked(engine, "How do I set the pressure of the boiler with the black valve?")
    first = made.sources[0]
    assert first.hit.title == "boiler.pdf"
    assert first.hit.location.page == 4
    assert names(made).count("boiler.pdf") == 1
    assert first.text.count("turn the black valve under the boiler slowly") == 1
    assert "wait for ten minutes" in first.text
    assert [source.number for source in made.sources] == list(range(1, len(made.sources) + 1))


def test_what_is_said_already_is_not_given_twice(engine: Engine) -> None:
    made = asked(engine, "When is the deposit returned?")
    assert len({"lease.pdf", "lease copy.txt"} & set(names(made))) == 1


def test_the_prompt_keeps_within_its_room_and_holds_what_it_says(engine: Engine) -> None:
    question = "How do I set the pressure of the boiler with the black valve?"
    rules = asked(engine, question).tokens - sum(s.tokens for s in asked(engine, question).sources)
    for tokens in (rules + 150, rules + 250, 2_000):
        made = asked(engine, question, room=Room(tokens, counted))
        assert made.sources
        assert 0 < made.tokens <= tokens
        prompt = "\n".join(text for _, text in made.prompt())
        assert all(source.text in prompt for source in made.sources)
        sent = made.messages({})
        assert [m["content"] for m in sent] == [text for _, text in made.prompt()]
    with pytest.raises(InklingError, match="300 tokens, too few"):
        asked(engine, question, room=Room(300, counted))


def test_where_nothing_matches_nothing_is_given(engine: Engine) -> None:
    made = asked(engine, "capital of Mongolia")
    assert (made.weak, made.sources, made.messages({}), made.prompt()) == (True, (), [], ())
    reader = made.reader()
    assert not any(isinstance(e, Sentence) for e in [*reader.read("Yes [1]."), *reader.end()])
    assert reader.dropped == 1


def test_a_question_that_follows_is_asked_with_the_words_before_it(engine: Engine) -> None:
    before = Turn(
        "Where did we go on the trip in 2018, and how?", "To Norway.", ("8:0", "99:3", "?")
    )
    alone = asked(engine, "and in 2019?")
    after = asked(engine, "and in 2019?", [before])
    assert "trips19.md" in names(after)[:2]
    assert "trips.md" in names(after)
    roles = [role for role, _ in after.prompt()]
    assert roles == ["system", "user", "assistant", "user"]
    assert [role for role, _ in alone.prompt()] == ["system", "user"]
    kept = asked(engine, "capital of Mongolia", [Turn("", "", (after.sources[0].unit,))])
    assert not kept.weak
    assert [source.unit for source in kept.sources] == [after.sources[0].unit]


def test_earlier_turns_are_shortened_and_cite_nothing(engine: Engine) -> None:
    long = Turn("Where did we go on the trip? " * 99, "To [Norway](http://x) [1]. " * 99)
    made = asked(engine, "and in 2019?", [long, long, long])
    _, *turns, _ = made.prompt()
    assert turns
    assert not any("[1]" in text or "http" in text for _, text in turns)
    assert sum(counted(text) for _, text in turns) < TEXT.tokens * 0.2


def test_pictures_go_along_where_the_model_sees_and_secrets_never(engine: Engine) -> None:
    made = asked(engine, "pressure gauge of the boiler", room=SEES)
    given = {source.hit.title: source.given for source in made.sources}
    assert given["gauge.png"] == "both"
    assert given["silent.png"] == "picture"
    assert {source.hit.title for source in made.pictures} >= {"gauge.png", "silent.png"}
    assert len(made.pictures) * SEES.picture_tokens <= SEES.tokens / 2
    assert made.tokens <= SEES.tokens
    blind = asked(engine, "pressure gauge of the boiler")
    assert "silent.png" not in names(blind)
    assert not blind.pictures
    secret = asked(engine, "password of the guest network boathouse", room=SEES)
    assert {s.hit.title: s.given for s in secret.sources}["wifi.png"] == "text"


def test_pictures_stand_in_their_sources_and_may_be_missing(engine: Engine) -> None:
    made = asked(engine, "pressure gauge of the boiler", room=SEES)
    shown = {source.number: PNG for source in made.pictures}
    content = made.messages(shown)[-1]["content"]
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    assert len(urls) == len(shown)
    assert all(url.startswith("data:image/png;base64,") for url in urls)
    assert sum("[picture of" in text for _, text in made.prompt()) == 1
    silent = next(source for source in made.sources if source.given == "picture")
    tokens = made.tokens
    made.without_picture(silent.number)
    assert silent.number not in [source.number for source in made.sources]
    assert made.tokens == tokens - SEES.picture_tokens
    both = next(source for source in made.pictures if source.given == "both")
    rest = {source.number: JPEG for source in made.pictures if source is not both}
    assert len(made.messages({**rest, both.number: b"GIF89a"})[-1]["content"]) >= 1
    assert {s.number: s.given for s in made.sources}[both.number] == "text"


def test_an_answer_is_measured_against_what_was_given(engine: Engine) -> None:
    made = asked(engine, "When is the deposit returned, and how much is it?")
    number = made.sources[0].number
    reader = made.reader()
    events = reader.read(
        f"The deposit of 1,800 € is returned within thirty days [{number}]. "
        f"The deposit of 2,500 € is returned within thirty days [{number}]. "
        f"Whales sleep upright in the cold Atlantic ocean [{number}]. Nothing."
    )
    events += reader.end()
    (right,), (wrong,), (other,) = (e.citations for e in events if isinstance(e, Sentence))
    assert (right.doubtful, wrong.doubtful, other.doubtful) == (False, True, True)
    assert right.support is not None
    assert wrong.support is not None
    assert other.support is not None
    assert right.support > wrong.support
    assert right.support > other.support
    assert (reader.dropped, reader.doubtful, reader.failed) == (1, 2, None)


def test_without_the_encoder_nothing_is_measured_and_that_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asked(engine, "When is the deposit returned?")

    def broken(text: str) -> None:
        raise InklingError("The model failed.")

    assert made.frame is not None
    monkeypatch.setattr(engine, "matches", broken)
    made = asked(engine, "When is the deposit returned?")
    reader = made.reader()
    (sentence, *_) = reader.read("It is returned within thirty days [1]. And")
    assert isinstance(sentence, Sentence)
    assert sentence.citations[0].support is None
    assert str(reader.failed) == "The model failed."
