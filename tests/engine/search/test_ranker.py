"""The ranker: shapes of queries, weights by shape, missing features, weak answers."""

from __future__ import annotations

import numpy as np
import pytest

from engine.search import ranker
from engine.search.features import Feature, FeatureMatrix
from engine.search.lanes import LANES
from engine.search.ranker import QueryShape
from engine.search.vector_spaces import align_by_rank

FEATURES = {feature.name: feature for lane in LANES.values() for feature in lane.columns}
PROSE = QueryShape(6, 0.0, False)


def matrix(**columns: list[float]) -> FeatureMatrix:
    made = FeatureMatrix(len(next(iter(columns.values()))))
    for name, values in columns.items():
        made.add(FEATURES[name], np.array(values, dtype=np.float32))
    return made


def best(features: FeatureMatrix, shape: QueryShape) -> int:
    return int(features.weighted(ranker.weights_for(shape, FEATURES.values())).argmax())


@pytest.mark.parametrize(
    ("text", "unreadable", "like_a_name"),
    [
        ("the diagram with the two queues", 0.0, False),
        ("スクリーンショットの設定", 1.0, False),
        ("Ärger über Zölle", 0.0, False),
        ("IMG_2041.jpg", 0.0, True),
        ("get_user_name", 0.0, True),
        ("invoice 2024", 0.0, True),
        ("how do I read a file in python 3000 lines long", 0.0, False),
        ("", 0.0, False),
    ],
)
def test_shape(text: str, unreadable: float, like_a_name: bool) -> None:
    shape = ranker.shape_of(text, latin_only=True)
    assert shape.unreadable == pytest.approx(unreadable)
    assert shape.like_a_name is like_a_name


@pytest.mark.parametrize(
    ("text", "about_code"),
    [
        ("python check if a variable is iterable", True),
        ("how to sort a map in C++", True),
        ("read lines with Python3?", True),
        ("C# event", True),
        ("the script of the play", False),
        ("letter from Julia about rust on the ruby ring", False),
        ("javanese coffee and perls of wisdom", False),
        ("go to the shell beach", False),
    ],
)
def test_a_question_that_names_a_programming_language_is_about_code(
    text: str, about_code: bool
) -> None:
    shape = ranker.shape_of(text, latin_only=True)
    assert shape.about_code is about_code
    weights = ranker.weights_for(shape, FEATURES.values())
    assert (weights["late"] == ranker.CODE["late"]) is about_code


def test_a_model_that_reads_every_script_is_trusted() -> None:
    assert ranker.shape_of("設定", latin_only=False).unreadable == 0.0


@pytest.mark.parametrize("own", [ranker.UNREADABLE, ranker.NAME, ranker.CODE])
def test_shapes_weigh_features_that_there_are(own: ranker.Weights) -> None:
    assert own.keys() <= FEATURES.keys()


def test_a_feature_that_no_shape_names_keeps_its_own_weight() -> None:
    new = Feature("date", 0.3)
    for shape in (PROSE, QueryShape(2, 0.0, True), QueryShape(3, 1.0, False)):
        assert ranker.weights_for(shape, [new]) == {"date": 0.3}


def test_words_lead_where_the_model_cannot_read() -> None:
    mixed = matrix(dense=[0.9, 0.1], text=[0.0, 9.0])
    assert best(mixed, QueryShape(1, 1.0, False)) == 1
    assert best(mixed, PROSE) == 0


def test_an_exact_name_comes_first_when_a_name_is_typed() -> None:
    both = matrix(dense=[0.7, 0.2], text=[1.0, 1.0], name=[0.0, 1.0])
    assert best(both, ranker.shape_of("IMG_2041.jpg", latin_only=True)) == 1


def test_a_name_decides_between_files_that_are_alike_in_prose() -> None:
    alike = matrix(dense=[0.52, 0.5], text=[5.0, 5.0], name=[np.nan, 0.98])
    assert best(alike, PROSE) == 1


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


def test_nothing_found_is_weak_and_a_name_is_not() -> None:
    shape = QueryShape(3, 0.0, False)
    assert ranker.is_weak(FeatureMatrix(0), shape)
    assert ranker.is_weak(matrix(dense=[0.05]), shape)
    assert not ranker.is_weak(matrix(dense=[0.05], name=[1.0]), shape)
    assert not ranker.is_weak(matrix(dense=[0.8]), shape)
    assert not ranker.is_weak(matrix(dense=[0.2], late=[0.9]), shape)


def test_a_good_name_without_any_content_is_not_weak() -> None:
    nothing = [float("nan")]
    for shape in (PROSE, QueryShape(1, 1.0, False)):
        assert not ranker.is_weak(matrix(name=[0.9], dense=nothing, text=nothing), shape)
        assert ranker.is_weak(matrix(name=[0.2], dense=nothing, text=nothing), shape)


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
