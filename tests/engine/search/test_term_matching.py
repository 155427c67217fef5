"""Term matching: words the whole file holds, words side by side."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine.search.term_matching import (
    AskedWord,
    Coverage,
    Proximity,
    asked_words,
    sought_terms,
    term_coverage,
)
from engine.store import Candidate, TextMatches
from engine.store.analyzer import analyze
from engine.store.term_groups import Variant

CAPTION = "Average request throughput per client as a function of the number of servers"


def likeness(question: str, passage: str) -> float:
    words = asked_words(question)
    return Proximity(words, np.ones(len(words), np.float32)).of(analyze(passage))


def matches(words: Sequence[AskedWord], *passages: tuple[int, int, str]) -> TextMatches:
    found = [Candidate(f"{file_id}:{ordinal}", file_id, 1.0) for file_id, ordinal, _ in passages]
    texts = [f" {' '.join(analyze(text))} " for *_, text in passages]
    return TextMatches.of_texts(found, texts, sought_terms(words))


def test_telling_words_keep_their_places() -> None:
    words = asked_words("What is the retry-count of uploads?")
    assert [word.text for word in words] == ["retry-count", "uploads"]
    assert words[1].place - words[0].place == len(words[0].terms) + 1  # "of" is between them


def test_stop_words_are_asked_for_if_there_is_nothing_else() -> None:
    assert [word.text for word in asked_words("to be")] == ["to", "be"]
    assert asked_words("?!") == []


def test_pairs_of_a_script_without_spaces_are_words() -> None:
    assert [word.text for word in asked_words("設定画面")] == ["設定", "定画", "画面"]
    assert likeness("設定画面の一覧表示機能", "次の設定画面の一覧表示機能です") == 1.0
    assert likeness("設定画面の一覧表示機能", "画面 設定 機能 表示 一覧") == 0.0


def test_a_quotation_counts_and_scattered_words_do_not() -> None:
    assert likeness(CAPTION, f"Figure 7: {CAPTION}. The chain replies.") == 1.0
    backwards = " ".join(reversed(CAPTION.split()))
    assert likeness(CAPTION, backwards) == 0.0
    half = "the average request throughput per client is lower"
    assert 0.0 < likeness(CAPTION, half) < 1.0


def test_a_word_between_and_line_breaks_do_not_end_a_quotation() -> None:
    broken = CAPTION.replace("throughput", "throughput,\n measured").replace("number", "number-\n")
    assert likeness(CAPTION, broken) == 1.0


def test_runs_are_of_one_place() -> None:
    between = " and many other words that were never asked for, "
    apart = between.join(["average request", "request throughput", "throughput per", "per client"])
    assert likeness(CAPTION, apart) == likeness(CAPTION, "average request") < 0.2


def test_a_pair_of_common_words_is_no_quotation() -> None:
    words = asked_words("zebras grow stripes over there")
    passage = analyze("it is over there")
    common = np.array([4, 4, 4, 0.1, 0.1], np.float32)
    assert (
        Proximity(words, common).of(passage)
        == 0.0
        < Proximity(words, np.ones(5, np.float32)).of(passage)
    )


@pytest.mark.parametrize("question", ["", "zebra"])
def test_less_than_two_words_are_no_quotation(question: str) -> None:
    assert likeness(question, "zebra zebra") == 0.0


def test_a_file_holds_what_its_passages_hold_together() -> None:
    words = asked_words("retry uploads slowly")
    weights = np.array([1, 2, 1], np.float32)
    held = term_coverage(
        words,
        weights,
        matches(words, (1, 0, "we retry"), (1, 1, "uploads, slowly"), (2, 0, "an upload")),
    )
    assert held == {1: Coverage(1.0, 1.0), 2: Coverage(0.5, 0.5)}


def test_another_form_of_a_word_is_held_as_far_as_it_is_like_it() -> None:
    [word] = asked_words("uploads")
    word = replace(
        word, terms=("upload",), others=(Variant(("sent",), 0.4), Variant(("send",), 0.9))
    )
    passages = (1, 0, "upload"), (2, 0, "sent"), (3, 0, "sent"), (3, 1, "send")
    found = matches([word], *passages)
    held = term_coverage([word], np.ones(1, np.float32), found)
    assert {file_id: told.share for file_id, told in held.items()} == {1: 1.0, 2: 1.0, 3: 1.0}
    likeness = {file_id: told.exact for file_id, told in held.items()}
    assert likeness == pytest.approx({1: 1.0, 2: 0.4, 3: 0.9})


def test_nothing_held_is_nothing() -> None:
    words = asked_words("zebra")
    assert term_coverage(words, np.ones(1, np.float32), matches(words)) == {}
    assert term_coverage(words, np.ones(1, np.float32), matches(words, (1, 0, "horse"))) == {}


def test_a_quotation_is_looked_for_where_two_of_its_words_are() -> None:
    words = asked_words("retry uploads slowly")
    passages = (1, 0, "retry"), (1, 1, "uploads are slow; slowly"), (2, 0, "none"), (2, 1, "upload")
    quotation = Proximity(words, np.ones(3, np.float32))
    assert quotation.possible(matches(words, *passages)) == ["1:1"]
