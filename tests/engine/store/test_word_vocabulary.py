"""The vocabulary of passages: near words, longer words, and its form on disk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from engine.store.vocabulary import LONGEST, SHORTEST, Vocabulary, is_word

WORDS = st.text("abcdéя", min_size=1, max_size=9)


def brute(words: set[str], word: str, errors: int) -> set[str]:
    return {w for w in words if is_word(w) and 0 < OSA.distance(w, word) <= errors}


@settings(deadline=None)
@given(st.sets(WORDS, max_size=40), WORDS.filter(lambda word: len(word) >= 3))
def test_every_word_an_error_away_is_near(words: set[str], word: str) -> None:
    assert set(Vocabulary.of(words).near(word, 1)) == brute(words, word, 1)


@settings(deadline=None)
@given(st.sets(WORDS, max_size=40), st.text("abcdé", min_size=8, max_size=12), st.data())
def test_two_errors_on_one_side_are_near(words: set[str], word: str, data: st.DataObject) -> None:
    kept = word[:3] if data.draw(st.booleans()) else word[-3:]
    other = kept + word[3:-1] if word.startswith(kept) else word[1:-3] + kept
    words |= {other}
    near = set(Vocabulary.of(words).near(word, 2))
    assert near <= brute(words, word, 2)
    assert {w for w in near | {other} if w != word} <= near | {word}


@settings(deadline=None)
@given(st.sets(WORDS, max_size=40), WORDS)
def test_longer_words_begin_or_end_so(words: set[str], word: str) -> None:
    vocabulary = Vocabulary.of(words)
    known = {w for w in words if is_word(w) and w != word}
    assert set(vocabulary.beginning(word, 99)) == {w for w in known if w.startswith(word)}
    assert set(vocabulary.ending(word, 99)) == {w for w in known if w.endswith(word)}
    assert len(vocabulary.beginning("a", 2)) <= 2


@settings(deadline=None)
@given(st.sets(WORDS, max_size=40))
def test_a_file_gives_back_the_same_words(words: set[str]) -> None:
    data = Vocabulary.of(words).to_bytes()
    again = Vocabulary.from_bytes(data)
    assert list(again) == sorted(w for w in words if SHORTEST <= len(w) <= LONGEST)
    assert again.near("abcde", 1) == Vocabulary.of(words).near("abcde", 1)
    for damaged in (data[:-1], data + b"x", b""):
        with pytest.raises(ValueError, match="words"):
            Vocabulary.from_bytes(damaged)


def test_only_words_are_kept() -> None:
    terms = ["ab", "budget", "v2", "retry_upload", "x" * 33, "日本語", "4711", "été"]
    assert list(Vocabulary.of(terms)) == ["budget", "été", "日本語"]
