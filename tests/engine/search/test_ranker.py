"""The ranker: weights that lean on signals, fitted files, missing features, weak answers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.contract.types import Kind
from engine.models.registry import MODELS
from engine.search import ranker, signals
from engine.search.features import Feature, FeatureMatrix
from engine.search.lanes import LANES
from engine.search.ranker import ALWAYS, FITTED, Logistic, Ranker, below_rescored
from engine.search.vector_spaces import align_by_rank

FEATURES = {feature.name: feature for lane in LANES.values() for feature in lane.columns}
PROSE = signals.of_words("where do we retry uploads that were cut off", latin_only=True)
FITTED_FILES = sorted(FITTED.glob("*.json"))


def matrix(**columns: list[float]) -> FeatureMatrix:
    made = FeatureMatrix(len(next(iter(columns.values()))))
    for name, values in columns.items():
        made.add(FEATURES[name], np.array(values, dtype=np.float32))
    return made


def best(features: FeatureMatrix, told: dict[str, float], model: str = "minilm") -> int:
    weights = Ranker.of(model).weights_for(FEATURES.values(), told)
    return int(features.weighted(weights).argmax())


@pytest.mark.parametrize(
    ("text", "unreadable"),
    [
        ("the diagram with the two queues", 0.0),
        ("スクリーンショットの設定", 1.0),
        ("Ärger über Zölle", 0.0),
        ("設定 abcd", 1 / 3),
        ("2024-03-05", 0.0),
        ("", 0.0),
    ],
)
def test_what_the_words_tell(text: str, unreadable: float) -> None:
    assert signals.of_words(text, latin_only=True)["unreadable"] == pytest.approx(unreadable)
    assert signals.of_words(text, latin_only=False)["unreadable"] == 0.0


@pytest.mark.parametrize(
    ("text", "digits"), [("1.180", 1.0), ("EC2", 1 / 3), ("a b", 0.0), ("", 0)]
)
def test_digits_are_no_language(text: str, digits: float) -> None:
    assert signals.of_words(text, latin_only=True)["digits"] == pytest.approx(digits)


def test_longer_questions_are_longer() -> None:
    lengths = [signals.of_words("word " * n, latin_only=True)["length"] for n in (0, 1, 2, 8, 999)]
    assert lengths[:2] == [0.0, 0.0]
    assert lengths[-1] == 1.0
    assert lengths == sorted(lengths)


def test_words_in_pieces_are_of_another_language() -> None:
    assert signals.of_pieces("two words", 2) == {"foreign": 0.0}
    assert signals.of_pieces("Zollbescheinigung", 6) == {"foreign": 2.0}
    assert signals.of_pieces("", 0) == {"foreign": 0.0}


def test_what_is_near_tells_what_is_asked_for() -> None:
    near: list[Kind] = ["code", "note", "code", "code"]
    assert signals.of_kinds(near) == {"code": 0.75}
    assert signals.of_kinds([]) == {"code": 0.0}


def test_the_best_of_each_column() -> None:
    told = signals.of_best(matrix(dense=[0.2, 0.5], late=[np.nan, np.nan]))
    assert told == {"best_dense": 0.5, "best_late": 0.0}
    assert signals.of_best(FeatureMatrix(0)) == {}


def test_without_a_fit_each_feature_counts_as_its_row_says() -> None:
    weights = Ranker.of("no such encoder").weights_for(FEATURES.values(), PROSE)
    assert weights == {name: feature.weight for name, feature in FEATURES.items()}
    assert not Ranker.of("no such encoder").is_weak({})


def test_signals_change_weights() -> None:
    made = Ranker({"dense": {ALWAYS: 0.5, "length": 0.2, "unreadable": -0.5}})
    rows = [FEATURES["dense"], Feature("new", 0.3)]
    assert made.weights_for(rows, {}) == {"dense": 0.5, "new": 0.3}
    told = made.weights_for(rows, {"length": 0.5, "unreadable": 1.0})
    assert told["dense"] == pytest.approx(0.1)


def test_words_count_as_far_as_a_file_holds_what_is_asked() -> None:
    """The best of those that hold next to nothing of a question has BM25's best all the same."""
    rows = {feature.name: feature for lane in LANES.values() for feature in lane.columns}
    for made in (Ranker(), Ranker.of("e5-minilm")):
        told = [made.weights_for(rows.values(), {"best_exact_coverage": x}) for x in (0.1, 0.9)]
        assert told[0]["text"] < 0.6 * told[1]["text"]
        assert told[0]["late"] > told[1]["late"]


def test_a_product_of_signals() -> None:
    assert ranker.product("a*b", {"a": 0.5, "b": 0.4}) == pytest.approx(0.2)
    assert ranker.product("a*b", {"a": 0.5}) == 0.0


def test_an_answer_is_weak_below_its_probability() -> None:
    answered = Logistic({ALWAYS: -1.0, "best_dense": 4.0}, below=0.5)
    made = Ranker(answered=answered)
    assert made.is_weak({"best_dense": 0.2})
    assert not made.is_weak({"best_dense": 0.3})
    assert answered.probability({"best_dense": 0.25}) == pytest.approx(0.5)


def test_hits_match_up_to_the_last_that_answers() -> None:
    made = Ranker(matching=Logistic({ALWAYS: -1.0, "dense": 2.0}, below=0.5))
    near, far = {"dense": 0.9}, {"dense": 0.1}
    assert made.count_matching([near, far, near, far, far]) == 3
    assert made.count_matching([far, far]) == made.count_matching([]) == 0
    assert Ranker().count_matching([near]) is None


def test_what_is_told_of_a_hit() -> None:
    made = matrix(dense=[0.2, 0.8, 0.5], exact_coverage=[np.nan, 1.0, np.nan])
    told = signals.of_hits(made, np.array([0.1, 0.9, 0.4], np.float32), np.array([1, 2]))
    assert {name: column.tolist() for name, column in told.items()} == {
        "dense": pytest.approx([0.8, 0.5]),
        "exact_coverage": [1.0, 0.0],
        "gap": pytest.approx([0.0, 0.5]),
    }


@pytest.mark.parametrize("file", FITTED_FILES, ids=lambda file: file.stem)
def test_a_fitted_file_speaks_of_what_there_is_and_where_it_comes_from(file: Path) -> None:
    made = msgspec.json.decode(file.read_bytes(), type=Ranker)
    assert file.stem in MODELS
    fitted = {feature.name for lane in LANES.values() if lane.fitted for feature in lane.columns}
    assert made.weights.keys() == fitted  # a lane that is new is fitted before it is out
    known = {ALWAYS, "length", "unreadable", "foreign", "code", "digits", "best_exact_coverage"}
    assert {signal for row in made.weights.values() for signal in row} <= known
    known |= {f"best_{name}" for name in FEATURES}
    assert made.answered is not None
    assert made.matching is not None
    parts = {part for name in made.answered.weights for part in name.split("*")}
    assert parts <= known
    parts = {part for name in made.matching.weights for part in name.split("*")}
    assert parts <= {*signals.OF_HIT, ALWAYS, "length", "foreign", "digits"}
    assert made.fitted.keys() >= {"encoder", "date", "ndcg_at_10_left_out", "warned_left_out"}


def test_the_default_has_been_fitted() -> None:
    assert "minilm" in {file.stem for file in FITTED_FILES}


def test_words_lead_where_the_model_cannot_read() -> None:
    mixed = matrix(dense=[0.6, 0.1], text=[0.0, 9.0], term_coverage=[np.nan, 1.0])
    assert best(mixed, signals.of_words("設定", latin_only=True)) == 1
    assert best(mixed, PROSE) == 0


def test_the_file_of_that_name_is_first() -> None:
    named = matrix(dense=[0.7, np.nan], text=[1.0, np.nan], name=[0.0, 1.0], name_whole=[0.0, 1.0])
    for text in ("IMG_2041.jpg", "tenancy agreement", "holiday in norway", "a", "設定"):
        for model in ("minilm", "another"):
            assert best(named, signals.of_words(text, latin_only=True), model) == 1


def test_a_unit_without_multi_vector_is_not_pushed_down() -> None:
    found = matrix(dense=[0.8, 0.6], late=[np.nan, 0.6])
    assert best(found, PROSE) == 0
    assert found.value("late").tolist() == pytest.approx([0.8, 0.6])


def test_bm25_counts_as_a_share_of_the_best() -> None:
    assert matrix(text=[4.0, np.nan, 1.0]).value("text").tolist() == [1.0, 0.0, 0.25]
    assert matrix(text=[np.nan]).value("text").tolist() == [0.0]


def test_a_column_of_another_size_or_type_is_refused() -> None:
    made = FeatureMatrix(2)
    with pytest.raises(ValueError, match="dense"):
        made.add(FEATURES["dense"], np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="float64"):
        made.add(FEATURES["dense"], np.zeros(2, np.float64))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("columns", "weak"),
    [
        ({"dense": [0.05], "late": [0.1]}, True),
        ({"dense": [0.8], "late": [0.8], "document": [0.7], "term_coverage": [0.8]}, False),
        ({"name": [1.0], "name_whole": [1.0], "name_coverage": [1.0]}, False),
        ({"dense": [0.1], "name": [1.0], "name_whole": [1.0], "name_coverage": [1.0]}, False),
    ],
)
def test_the_default_warns_of_what_matches_nothing(
    columns: dict[str, list[float]], weak: bool
) -> None:
    told = signals.of_words("song", latin_only=True) | signals.of_best(matrix(**columns))
    assert Ranker.of("minilm").is_weak(told) is weak


def test_what_was_not_rescored_stays_below() -> None:
    rescored, fused = np.array([0.9, -0.4], np.float32), np.array([5.0, 7.0], np.float32)
    told = below_rescored(rescored, fused)
    assert told.max() < rescored.min()
    assert told[1] > told[0]


def test_groups_without_a_common_scale_are_aligned_by_rank() -> None:
    scores = np.array([0.9, 0.2, 0.5, 0.1, np.nan, 0.8], dtype=np.float32)
    near, far = np.array([0, 2, 5]), np.array([1, 3, 4])
    aligned = align_by_rank(scores, [near, far])
    assert np.isnan(aligned[4])
    # The best of each, the second best, and the third, which is never above the second.
    assert aligned[[0, 1, 5, 3, 2]] == pytest.approx([0.55, 0.55, 0.45, 0.45, 0.45])
    assert scores[0] == np.float32(0.9)


def test_one_group_keeps_its_scores() -> None:
    scores = np.array([0.9, 0.2], dtype=np.float32)
    nobody = np.array([], dtype=np.intp)
    assert align_by_rank(scores, [np.array([0, 1]), nobody]).tolist() == scores.tolist()
