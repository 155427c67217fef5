"""The lane of what is seen: a picture without words answers a question by its vector, a page by its
own; where the sight model can't be asked the others answer, and that is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine import Engine
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Answer, Encoding, FileFacts, Kind, Query, Unit
from engine.models.registry import MODELS, model_spec, spec_for
from engine.search.lanes.seen import standing_out
from engine.search.late_interaction import quantise
from engine.search.picture_likeness import likenesses, nearest_pictures, usual_likenesses
from engine.sight import SightModel
from engine.store import Sighting
from engine.store.token_record import TokenRecord
from tests.engine.word_encoder import WordEncoder

DIM = 16
#: What can be seen, each a direction.
THINGS = ("bicycle", "lighthouse", "seagull", "tram")
PHOTOS = 30


def direction(thing: str) -> NDArray[np.float32]:
    return np.eye(DIM, dtype=np.float32)[THINGS.index(thing)]


def photo_vector(number: int, thing: str | None) -> NDArray[np.float32]:
    """As contrastive models have them: all pictures have much in common."""
    made = np.random.default_rng(number).normal(scale=0.03, size=DIM).astype(np.float32)
    made[-1] = 1.0
    if thing:
        made += 0.3 * direction(thing)
    return np.asarray(made / np.linalg.norm(made), np.float32)


class Eyes(SightModel):
    """Knows words for THINGS."""

    down: InklingError | None = None
    asked: list[Query]

    def question(self, query: Query) -> Encoding:
        if self.down is not None:
            raise self.down
        found = [direction(thing) for thing in THINGS if thing in query.text]
        made = np.sum(found, axis=0) if found else np.zeros(DIM)
        made = made + 0.5 * np.eye(DIM)[-1]
        single = np.asarray(made / np.linalg.norm(made), np.float32)
        return Encoding(single, np.stack([*found, single]).astype(np.float32))


@pytest.fixture
def eyes(base: BaseDir) -> Iterator[Eyes]:
    made = Eyes(base, replace(model_spec("embeddinggemma-2"), dim=DIM))
    yield made
    made.close()


@pytest.fixture
def engine(base: BaseDir, eyes: Eyes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("engine.engine.EncoderPool", WordEncoder)
    made = Engine(base, MODELS["minilm"], lambda words, limit, filters: [], sight=lambda: eyes)

    def facts(file_id: int, kind: Kind) -> FileFacts:
        name = f"/f/{file_id}.{'jpg' if kind == 'image' else kind}"
        return FileFacts(file_id, name, kind, None, name[-3:], 1e9 + file_id, 9)

    units = [(facts(i, "image"), Unit(i, 0, "image", "", context="IMG")) for i in range(PHOTOS)]
    units += [
        (facts(100 + n, "note"), Unit(100 + n, 0, "note", text))
        for n, text in enumerate(("Feed the starter.", "My lighthouse story is told here."))
    ]
    units += [
        (facts(200, "pdf"), Unit(200, n, "pdf", f"Words of page {n + 1}.", page=n + 1))
        for n in range(3)
    ]
    by_file: dict[int, list[object]] = {}
    for one in made.encode(units):
        by_file.setdefault(one.file.file_id, []).append(one)
    made.replace(by_file)  # type: ignore[arg-type]
    shown = {7: "bicycle", 8: "lighthouse"}
    eyes.sightings.replace(
        [
            (facts(i, "image"), Sighting(photo_vector(i, shown.get(i))[None], (None,), f"h{i}"))
            for i in range(PHOTOS)
        ]
    )
    pages = np.stack([photo_vector(50, None), photo_vector(51, "tram")])
    eyes.sightings.replace([(facts(200, "pdf"), Sighting(pages, (1, 3), "h200"))])
    yield made
    made.close()


def last(engine: Engine, question: str | Query) -> Answer:
    *_, answer = engine.search(parse(question) if isinstance(question, str) else question)
    return answer


def test_a_photo_without_words_answers_and_others_do_not(engine: Engine) -> None:
    stages = {answer.stage: answer for answer in engine.search(parse("a red bicycle at the wall"))}
    assert all("seen" not in hit.lanes for hit in stages["fused"].hits)  # it waits for no model
    first = stages["rescored"].hits[0]
    assert first.path == "/f/7.jpg"
    assert "seen" in first.lanes
    found = [hit for hit in stages["rescored"].hits if "seen" in hit.lanes]
    assert len(found) <= 3
    told = engine.explain(parse("a red bicycle at the wall"), 7)
    assert told["seen"]["rank"] == 1  # type: ignore[index]


def test_what_nothing_shows_is_said_of_no_picture(engine: Engine) -> None:
    answer = last(engine, "feed the starter")
    assert answer.hits[0].path == "/f/100.note"
    assert not [hit for hit in answer.hits[:1] if "seen" in hit.lanes]


def test_words_that_answer_come_before_what_is_seen(engine: Engine) -> None:
    hits = [hit.path for hit in last(engine, "my lighthouse story").hits]
    assert hits[:2] == ["/f/101.note", "/f/8.jpg"]


def test_the_page_that_shows_it_is_the_place(engine: Engine) -> None:
    hit = last(engine, "tram").hits[0]
    assert (hit.path, hit.location.page) == ("/f/200.pdf", 3)


def test_filters_hold_for_pictures(engine: Engine) -> None:
    assert {hit.kind for hit in last(engine, "bicycle kind:note").hits} == {"note"}
    assert "/f/7.jpg" not in [hit.path for hit in last(engine, "bicycle before:1990").hits]
    assert not [h for h in last(engine, '"starter" bicycle').hits if h.kind == "image"]


def test_where_it_can_t_be_asked_the_others_answer_and_it_is_said(
    engine: Engine, eyes: Eyes
) -> None:
    eyes.down = InklingError("The weights are gone.")
    answer = last(engine, "feed the starter")
    assert answer.hits[0].path == "/f/100.note"
    assert "The weights are gone." in answer.coverage.message
    assert not answer.coverage.complete


def test_a_picture_asks_it_though_the_model_that_reads_is_blind(
    engine: Engine, eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = photo_vector(8, "lighthouse")
    monkeypatch.setattr(eyes, "question", lambda query: Encoding(seen, seen[None]))
    told = replace(parse(""), text="mumble soup", told_by_image=True, image="/q.jpg")
    assert last(engine, told).hits[0].path == "/f/8.jpg"
    assert last(engine, replace(parse(""), image="/q.jpg")).hits[0].path == "/f/8.jpg"
    # What a picture says, without the picture, is no question for pictures.
    assert not eyes.asks(replace(told, image=None))


def _by_tokens(directions: NDArray[np.float32]) -> TokenRecord:
    return TokenRecord(quantise(np.asarray(directions, np.float32)))


def test_a_model_of_tokens_alone_is_asked_by_late_interaction(base: BaseDir) -> None:
    """Two things on one picture: its mean lies between them, and a picture of neither is nearer."""
    rng = np.random.default_rng(4)
    eyes = SightModel(base, replace(model_spec("colmodernvbert"), dim=DIM, token_dim=DIM))
    bicycle, tram = direction("bicycle"), direction("tram")

    def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)

    def facts(file_id: int, kind: Kind) -> FileFacts:
        return FileFacts(file_id, f"/f/{file_id}", kind, None, "", 1e9, 9)

    def sighting(name: str, *pages: NDArray[np.float32]) -> Sighting:
        means = np.stack([unit(page.mean(axis=0)) for page in pages])
        places = tuple(range(1, len(pages) + 1)) if len(pages) > 1 else (None,)
        return Sighting(means, places, name, [_by_tokens(page) for page in pages])

    noise = [unit(rng.normal(size=(12, DIM))) for _ in range(40)]
    between = unit(np.stack([bicycle + tram] * 12) + 0.05 * rng.normal(size=(12, DIM)))
    both = np.concatenate([noise[0][:10], bicycle[None], tram[None]])
    written = [(facts(n, "image"), sighting(f"h{n}", noise[n])) for n in range(1, 40)]
    written += [(facts(50, "image"), sighting("h50", between))]
    written += [(facts(60, "pdf"), sighting("h60", noise[5], noise[6], both))]
    eyes.sightings.replace(written)
    asked = Encoding(unit(bicycle + tram), np.stack([bicycle, tram]))
    try:
        by_mean, *_ = eyes.sightings.nearest(asked.single, None, 5)
        assert by_mean[0] == 50
        found = nearest_pictures(eyes, asked, None, 5)
        assert found[0][:2] == (60, 3)
        assert found[0][2] == pytest.approx(1.0, abs=0.01)
        assert len(found) == 5
        near = likenesses(eyes, asked, [60, 50, 7, 99])
        assert max(near[60], key=lambda page: near[60][page]) == 3
        assert near[60][3] > near[50][None] > near[7][None]
        assert 99 not in near
        usual = usual_likenesses(eyes, asked)
        assert len(usual) == 41
        assert standing_out(np.array([near[60][3]], np.float32), usual)[0] > 0.5
    finally:
        eyes.close()


@given(st.floats(0.05, 0.9), st.floats(-0.2, 0.8), st.integers(1, 400))
def test_it_counts_how_far_a_picture_stands_out_whatever_the_scale(
    scale: float, middle: float, count: int
) -> None:
    usual = np.random.default_rng(count).normal(middle, 0.03 * scale, count).astype(np.float32)
    asked = np.array([middle, middle + 0.3, np.nan], np.float32)
    told = standing_out(asked, usual)
    assert told[0] < 0.2
    assert told[1] == 1.0
    assert np.isnan(told[2])
    moved = standing_out(asked + 0.05, usual + np.float32(0.05))
    assert np.allclose(told, moved, atol=1e-2, equal_nan=True)


def test_the_one_that_is_meant_stands_out_among_few() -> None:
    cosines = np.array([1.0, 0.7, 0.72, 0.68], np.float32)
    told = standing_out(cosines, cosines)
    assert told[0] == 1.0
    assert told[1:].max() == 0.0


def test_roles_are_of_rows() -> None:
    assert spec_for("sight", "neomme-260m").id == "neomme-260m"
    with pytest.raises(InklingError, match="can't see pictures") as caught:
        spec_for("sight", "minilm")
    assert "embeddinggemma-2" in caught.value.hint
    for spec in MODELS.values():
        assert ("sight" in spec.roles) <= ("image" in spec.modalities)
        assert spec.from_message(spec.to_message()) == spec
