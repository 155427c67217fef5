"""A person's own questions over a real index: measured, fitted to, and back again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.judgements import Judgement
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.settings import Settings
from engine.search.own_ranker import OwnRanker
from indexer.server.lifecycle import Indexer
from tests.waiting import until

THINGS = ("kettle", "harbour", "violin", "glacier", "orchard", "compass", "lantern", "bridge",
          "quarry", "saddle")  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Indexer, Path]]:
    place = tmp_path_factory.mktemp("judged")
    folder = place / "notes"
    folder.mkdir()
    for n, thing in enumerate(THINGS):
        others = " ".join(THINGS[(n + k) % len(THINGS)] for k in (1, 2))
        (folder / f"{n:02}.md").write_text(
            f"# Note {n}\n\nThe {thing} was mended, not the {others}.\n"
        )
    settings = Settings.load(BaseDir(place / "base").create())
    settings.set("model", "minilm")
    settings.set("ocr", False)
    settings.save()
    indexer = Indexer(BaseDir(place / "base"), settings).open()
    indexer.start()
    indexer.ports.library.add_folders([str(folder)])
    until(lambda: indexer.state() == "idle" and indexer.index.engine.count() == len(THINGS))
    yield indexer, folder
    indexer.close()


def questions(folder: Path, count: int = len(THINGS)) -> list[Judgement]:
    return [
        Judgement(f"which {thing} was mended", str(folder / f"{n:02}.md"))
        for n, thing in enumerate(THINGS[:count])
    ]


def test_nothing_judged_is_said(judged: tuple[Indexer, Path]) -> None:
    port = judged[0].ports.judging
    with pytest.raises(InklingError, match="No question is judged yet"):
        port.evaluate()
    with pytest.raises(InklingError, match="Nothing was said of this answer"):
        port.judge(Judgement("q", "/nowhere"), take_back=True)


def test_the_model_in_use_is_measured(judged: tuple[Indexer, Path]) -> None:
    indexer, folder = judged
    port = indexer.ports.judging
    wrong = Judgement("which kettle was mended", str(folder / "05.md"), right=False)
    told = port.evaluate([*questions(folder), wrong])
    assert told["questions"] == len(THINGS)
    [row] = told["models"]
    assert (row["model"], row["in_use"], row["own"]) == ("minilm", True, None)
    assert 0.5 < row["shipped"]["ndcg_at_10"] <= 1.0
    assert row["shipped"]["hit_at_10"] == 1.0
    assert row["median_ms"] > 0
    lost = [Judgement("which kettle was mended", str(folder / "gone.md"))]
    assert port.evaluate(lost)["models"][0]["shipped"] == {"ndcg_at_10": 0.0, "hit_at_10": 0.0}
    only_wrong = [Judgement("anything", str(folder / "01.md"), right=False)]
    with pytest.raises(InklingError, match="No question is judged yet"):
        port.evaluate(only_wrong)


def test_a_page_answers_and_the_others_do_not(judged: tuple[Indexer, Path]) -> None:
    indexer, folder = judged
    paged = [Judgement("which kettle was mended", str(folder / "00.md"), 7)]
    told = indexer.ports.judging.evaluate(paged)
    assert told["models"][0]["shipped"]["hit_at_10"] == 0.0  # notes have no page 7
    # Where one right answer is a whole file, files are what is asked for.
    also = Judgement("which kettle was mended", str(folder / "09.md"))
    told = indexer.ports.judging.evaluate([*paged, also])
    assert told["models"][0]["shipped"]["hit_at_10"] == 1.0


def test_a_fitted_ranker_answers_until_the_shipped_one_is_wanted(
    judged: tuple[Indexer, Path],
) -> None:
    indexer, folder = judged
    port, engine = indexer.ports.judging, indexer.index.engine
    with pytest.raises(InklingError, match="fitting takes 8"):
        port.evaluate(questions(folder, 5), fit=True)
    assert engine.ranker.own is None
    # Judged against what is found: the neighbour's note is said to be the right one.
    contrary = [
        Judgement(f"which {thing} was mended", str(folder / f"{(n - 1) % len(THINGS):02}.md"))
        for n, thing in enumerate(THINGS)
    ]
    [row] = port.evaluate(contrary, fit=True)["models"]
    assert set(row["fitted"]) == {"ndcg_at_10", "hit_at_10"}
    own = engine.ranker.own
    assert own is not None
    assert own.fitted["questions"] == len(THINGS)
    [again] = port.evaluate(contrary)["models"]
    assert again["own"]["ndcg_at_10"] >= again["shipped"]["ndcg_at_10"]
    run = engine.run(parse(contrary[0].question))
    assert run.weights != _shipped_weights(indexer, contrary[0].question)
    assert port.use_shipped()
    assert not port.use_shipped()
    assert engine.run(parse(contrary[0].question)).weights == _shipped_weights(
        indexer, contrary[0].question
    )


def test_another_start_ranks_as_was_chosen(
    judged: tuple[Indexer, Path], caplog: pytest.LogCaptureFixture
) -> None:
    indexer, folder = judged
    indexer.ports.judging.evaluate(questions(folder), fit=True)
    again = OwnRanker(indexer.base, "minilm")
    assert again().fitted["fitted to"] == "a person's own questions"
    path = indexer.base.models / "minilm" / "own-ranker.json"
    path.write_text("{broken")
    assert OwnRanker(indexer.base, "minilm").own is None
    assert "the shipped one answers" in caplog.text
    path.write_text(json.dumps({}))
    indexer.ports.judging.use_shipped()
    assert not path.exists()


def _shipped_weights(indexer: Indexer, question: str) -> dict[str, float]:
    run = indexer.index.engine.run(parse(question))
    run._ranker = indexer.index.engine.ranker.shipped
    return dict(run.weights)
