"""Fusion: shapes of queries, weights by shape, missing multi-vectors, weak answers."""

import numpy as np
import pytest

from engine.search import fusion
from engine.search.fusion import LaneScores, QueryShape, Weights


def scores(dense: list[float], text: list[float], name: list[float]) -> LaneScores:
    arrays = (np.array(values, dtype=np.float32) for values in (dense, text, name))
    return LaneScores(*arrays)


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
    shape = fusion.shape_of(text, latin_only=True)
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
    shape = fusion.shape_of(text, latin_only=True)
    assert shape.about_code is about_code
    assert (fusion.weights_for(shape) == fusion.CODE) is about_code


def test_a_model_that_reads_every_script_is_trusted() -> None:
    assert fusion.shape_of("設定", latin_only=False).unreadable == 0.0


def test_words_lead_where_the_model_cannot_read() -> None:
    mixed = scores([0.9, 0.1], [0.0, 9.0], [0.0, 0.0])
    foreign = fusion.weights_for(QueryShape(1, 1.0, False))
    assert fusion.first_stage(mixed, foreign).argmax() == 1
    prose = fusion.weights_for(QueryShape(6, 0.0, False))
    assert fusion.first_stage(mixed, prose).argmax() == 0


def test_an_exact_name_comes_first_when_a_name_is_typed() -> None:
    both = scores([0.7, 0.2], [1.0, 1.0], [0.0, 1.0])
    weights = fusion.weights_for(fusion.shape_of("IMG_2041.jpg", latin_only=True))
    assert fusion.first_stage(both, weights).argmax() == 1


def test_a_unit_without_multi_vector_is_not_pushed_down() -> None:
    found = scores([0.8, 0.6], [0.0, 0.0], [0.0, 0.0])
    found.late = np.array([np.nan, 0.6], dtype=np.float32)
    final = fusion.second_stage(found, Weights())
    assert final.argmax() == 0
    assert not np.isnan(final).any()


def test_nothing_found_is_weak_and_a_name_is_not() -> None:
    shape = QueryShape(3, 0.0, False)
    assert fusion.is_weak(scores([], [], []), shape)
    assert fusion.is_weak(scores([0.05], [0.0], [0.0]), shape)
    assert not fusion.is_weak(scores([0.05], [0.0], [1.0]), shape)
    assert not fusion.is_weak(scores([0.8], [0.0], [0.0]), shape)


def test_groups_without_a_common_scale_are_aligned_by_rank() -> None:
    scores = np.array([0.9, 0.2, 0.5, 0.1, np.nan, 0.8], dtype=np.float32)
    near, far = np.array([0, 2, 5]), np.array([1, 3, 4])
    aligned = fusion.by_rank(scores, [near, far])
    assert np.isnan(aligned[4])
    # The best of each, the second best, and the third, which is never above the second.
    assert aligned[[0, 1, 5, 3, 2]] == pytest.approx([0.55, 0.55, 0.45, 0.45, 0.45])
    assert scores[0] == np.float32(0.9)


def test_one_group_keeps_its_scores() -> None:
    scores = np.array([0.9, 0.2], dtype=np.float32)
    nobody = np.array([], dtype=np.intp)
    assert fusion.by_rank(scores, [np.array([0, 1]), nobody]).tolist() == scores.tolist()
