"""Fitting the ranker: what tells is found, warnings keep to their limit, files come back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.search import signals
from engine.search.lanes import LANES
from engine.search.ranker import ALWAYS, Ranker
from engine.search.training import fit_ranker
from engine.search.training.answered import FALSE_ALARMS, fit_answered, usable, warned
from engine.search.training.judged import Judged, load
from engine.search.training.listwise import fit_weights

COLUMNS = sorted(f.name for lane in LANES.values() for f in lane.columns)
SIGNALS = ("length", "unreadable", "foreign", "code", "best_dense", "best_late")


def write_set(path: Path, seed: int, *, asked: int = 40, code: bool = False) -> None:
    """Twenty candidates a question; proximity tells the right one, where `code`: the document. What
    has no answer is far from everything."""
    chance = np.random.default_rng(seed)
    features, owner, grades, told, questions = [], [], [], [], []
    for number in range(asked):
        answerable = number % 4 != 0
        values = chance.normal(0.3, 0.05, (20, len(COLUMNS))).astype(np.float32)
        right = np.zeros(20, np.int8)
        if answerable:
            right[3] = 1
            values[3, COLUMNS.index("document" if code else "proximity")] = 0.9
            values[3, COLUMNS.index("dense")] = 0.37  # so that it is often among the first
        near = chance.uniform(0.5, 0.9) if answerable else chance.uniform(0.0, 0.3)
        features.append(values)
        owner.append(np.full(20, number, np.int32))
        grades.append(right)
        told.append([0.5, 0.0, 0.1, float(code), near, near])
        questions.append(
            {
                "text": f"question {number}",
                "origin": "own" if answerable else "foreign",
                "best": [1] if answerable else [],
            }
        )
    np.savez_compressed(
        path,
        features=np.concatenate(features),
        question=np.concatenate(owner),
        grade=np.concatenate(grades),
        item=np.tile(np.arange(20, dtype=np.int32), asked),
        rescored=np.ones(20 * asked, np.bool_),
        signals=np.array(told, np.float32),
        meta=json.dumps({"features": COLUMNS, "signals": list(SIGNALS), "questions": questions}),
    )


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, list[Judged]]:
    for seed, name in enumerate(("notes", "letters", "functions")):
        write_set(tmp_path / f"{name}.npz", seed, code=name == "functions")
    return {path.stem: load(path) for path in sorted(tmp_path.glob("*.npz"))}


def mean(questions: list[Judged], ranker: Ranker) -> float:
    own = [q for q in questions if q.origin == "own"]
    return float(np.mean([q.ndcg(q.scores(ranker)) for q in own]))


def test_what_tells_is_found_where_it_tells(sets: dict[str, list[Judged]]) -> None:
    fitted = Ranker(fit_weights(sets, Ranker(), ridge=0.001))
    assert mean(sets["notes"], Ranker()) < 0.9
    for questions in sets.values():
        assert mean(questions, fitted) == pytest.approx(1.0)
    # The signal tells which feature to believe.
    assert fitted.weights["document"]["code"] > 0
    drawn = fit_weights(sets, Ranker())
    assert fitted.weights["proximity"]["code"] < drawn["proximity"]["code"]
    without = fit_weights(sets, Ranker(), without=["proximity"], ridge=0.01)
    assert set(without["proximity"].values()) == {0.0}
    assert mean(sets["notes"], Ranker(without)) < 0.9


def test_rank_figures_are_those_of_items() -> None:
    from engine.search.features import FeatureMatrix

    asked = Judged(
        "q", "own", FeatureMatrix(3), np.array([0, 1, 1], np.int8), np.array([7, 8, 8], np.int32),
        np.ones(3, np.bool_), {}, [1],
    )  # fmt: skip
    assert asked.ndcg(np.array([0.1, 0.9, 0.8], np.float32)) == 1.0
    assert asked.ndcg(np.array([0.9, 0.1, 0.8], np.float32)) == pytest.approx(1 / np.log2(3))


def test_warnings_are_given_and_keep_to_their_limit(sets: dict[str, list[Judged]]) -> None:
    fitted = fit_answered(sets)
    assert fitted.weights[ALWAYS] < 0
    for questions in sets.values():
        told = warned(fitted, questions)
        assert told["answerable"] <= FALSE_ALARMS
        assert told["others"] > 0.9


def test_a_question_whose_answer_was_not_found_teaches_nothing(
    sets: dict[str, list[Judged]],
) -> None:
    lost = next(q for q in sets["notes"] if q.best_grades and usable(q))
    lost.grades[:] = 0
    assert not usable(lost)


def test_the_command_writes_what_a_search_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for seed, name in enumerate(("notes", "letters")):
        write_set(tmp_path / f"{name}.npz", seed)
        files.append(str(tmp_path / f"{name}.npz"))
    out = tmp_path / "toy.json"
    monkeypatch.setattr(
        "sys.argv", ["fit", *files, "--encoder", "toy", "--ridge", "0.01", "--out", str(out)]
    )
    assert fit_ranker.main() == 0
    assert "left out" in capsys.readouterr().out
    monkeypatch.setattr("engine.search.ranker.FITTED", tmp_path)
    made = Ranker.of("toy")
    assert made.fitted["ndcg_at_10_left_out"]["notes"]["own"] > 0.9
    assert made.is_weak({"best_dense": 0.0, "best_late": 0.0})
    other = dict.fromkeys(signals.OF_HIT, 0.3) | {"length": 0.5, "foreign": 0.1}
    near, far = other | {"proximity": 0.9, "dense": 0.37, "gap": 0.0}, other | {"gap": 0.1}
    assert made.count_matching([near, far]) == 1
    assert made.fitted["only_similar_left_out"]["notes"]["others"] > 0.9
