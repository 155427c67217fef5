"""Token vectors as codes: what is lost, what MaxSim says of them, what is on disk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from engine.search.late_interaction import maxsim, quantise
from engine.store.codebook import Codebook, Codes, learn
from engine.store.codebooks import Recent
from engine.store.places import pack_places, unpack_places

Float = NDArray[np.float32]


def directions(seed: int, n: int, dim: int = 32) -> Float:
    """Tokens around forty words, as those of a text are."""
    rng = np.random.default_rng(seed)
    words = np.random.default_rng(9).normal(size=(40, dim))
    tokens = words[rng.integers(0, len(words), n)] + 0.5 * rng.normal(size=(n, dim))
    return np.asarray(tokens / np.linalg.norm(tokens, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def book() -> Codebook:
    return learn(directions(1, 6_000), 1)


@pytest.mark.parametrize("dim", [8, 24, 32])
def test_what_codes_stand_for_is_near_the_tokens(dim: int) -> None:
    learnt = learn(directions(1, 3_000, dim), 1)
    tokens = directions(2, 500, dim)
    codes = learnt.encode(tokens)
    assert codes.rows.shape == (500, learnt.width)
    back = learnt.decode(codes.rows)
    assert np.linalg.norm(back, axis=1) == pytest.approx(1.0, abs=0.06)
    assert learnt.error_of(tokens, codes) < 0.2
    # What it says of tokens that it did not learn from is so.
    assert learnt.error == pytest.approx(learnt.error_of(tokens, codes), rel=0.2)


def test_a_byte_every_four_dimensions(book: Codebook) -> None:
    assert learn(directions(1, 3_000, 128), 1).width == 34
    assert (book.dim, book.width) == (32, 2 + 4 + 4)


def test_codes_of_an_earlier_making_are_read_until_there_are_tokens_for_better_ones(
    book: Codebook,
) -> None:
    """A byte stood for eight of the dimensions in which tokens differ least."""
    wide = np.concatenate([book.wide[::2], book.wide[1::2]], axis=2)
    coarse = Codebook.from_bytes(replace(book, wide=wide).to_bytes())
    assert coarse.is_coarse
    assert not book.is_coarse
    tokens = directions(2, 500)
    codes = coarse.encode(tokens)
    assert codes.rows.shape == (500, 2 + 4 + 2)
    assert book.error_of(tokens, book.encode(tokens)) < coarse.error_of(tokens, codes) < 0.5
    recent = Recent()
    recent.note(np.repeat(tokens, 300, axis=0), Codes(coarse, np.repeat(codes.rows, 300, axis=0)))
    assert not recent.has_outgrown(coarse)
    recent.note(np.repeat(tokens, 200, axis=0), Codes(coarse, np.repeat(codes.rows, 200, axis=0)))
    assert recent.has_outgrown(coarse)


def test_similarities_are_products_with_what_codes_stand_for(book: Codebook) -> None:
    query, tokens = directions(3, 7), directions(4, 5_000)
    rows = book.encode(tokens).rows
    np.testing.assert_allclose(
        book.similarities(query, rows), query @ book.decode(rows).T, atol=1e-4
    )
    assert book.similarities(query, rows[:0]).shape == (7, 0)


def test_maxsim_of_both_forms_and_two_codebooks_together(book: Codebook) -> None:
    other = learn(directions(8, 2_000), 2)
    query = directions(5, 6)
    plain = [directions(10 + i, int(n)) for i, n in enumerate((9, 30, 4, 12, 7, 21))]
    docs: list[NDArray[np.int8] | Codes] = [
        quantise(plain[0]), book.encode(plain[1]), book.encode(plain[2]), quantise(plain[3][:0]),
        other.encode(plain[4]), book.encode(plain[5]),
    ]  # fmt: skip
    weights = np.arange(1, 7, dtype=np.float32)
    found = maxsim(query, docs, weights=weights)
    for i, doc in enumerate(docs):
        if len(doc):
            meant = doc.book.decode(doc.rows) if isinstance(doc, Codes) else doc / 127
            similarities = query @ meant.T
            np.testing.assert_allclose(found.similarities[i], similarities, atol=1e-4)
            score = np.average(similarities.max(axis=1), weights=weights)
            assert found.scores[i] == pytest.approx(score, abs=1e-4)
    assert found.scores[3] == -1.0
    assert maxsim(query, [book.encode(plain[0][:0])]).scores.tolist() == [-1.0]


def test_the_better_of_two_documents_stays_the_better(book: Codebook) -> None:
    """The order by codes is nearly that by float32."""
    docs = [directions(100 + i, 40) for i in range(60)]
    for seed in range(5):
        query = directions(1_000 + seed, 8)
        exact = np.array([(query @ doc.T).max(axis=1).mean() for doc in docs])
        found = maxsim(query, [book.encode(doc) for doc in docs]).scores
        assert np.corrcoef(exact, found)[0, 1] > 0.9


def test_a_codebook_is_read_as_it_was_written(book: Codebook) -> None:
    again = Codebook.from_bytes(book.to_bytes())
    assert (again.number, again.id, again.learnt_from) == (1, book.id, book.learnt_from)
    assert again.error == pytest.approx(book.error)
    tokens = directions(6, 50)
    assert np.array_equal(again.encode(tokens).rows, book.encode(tokens).rows)
    assert learn(directions(7, 3_000), 1).id != book.id


def test_every_flipped_byte_of_a_codebook_is_noticed(book: Codebook) -> None:
    data = book.to_bytes()
    for at in [*range(40), *np.random.default_rng(0).integers(40, len(data), 40).tolist()]:
        broken = bytearray(data)
        broken[at] ^= 0x41
        with pytest.raises(ValueError):
            Codebook.from_bytes(bytes(broken))
    for length in (0, 5, len(data) - 1):
        with pytest.raises(ValueError):
            Codebook.from_bytes(data[:length])


def test_few_and_equal_tokens_make_a_codebook_too() -> None:
    few = learn(directions(1, 300), 1)
    assert few.error_of(directions(1, 300), few.encode(directions(1, 300))) < 0.2
    one = np.tile(directions(1, 1), (2_500, 1))
    same = learn(one, 1)
    np.testing.assert_allclose(same.decode(same.encode(one[:3]).rows), one[:3], atol=0.02)


SPANS = arrays.arrays(
    np.int32, st.tuples(st.integers(0, 40), st.just(2)), elements=st.integers(-(2**31), 2**31 - 1)
)
BOXES = arrays.arrays(np.uint16, st.tuples(st.integers(0, 40), st.just(4)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(SPANS, BOXES), max_size=4))
def test_places_come_back_as_they_were(
    given_: list[NDArray[np.int32] | NDArray[np.uint16]],
) -> None:
    shapes = [(*array.shape, array.dtype.str) for array in given_]
    back = unpack_places(pack_places(given_), shapes)
    for array, found in zip(given_, back, strict=True):
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)


def test_places_of_a_text_take_a_byte() -> None:
    rng = np.random.default_rng(1)
    ends = np.cumsum(rng.integers(2, 9, 200))
    spans = np.stack([ends - 1, ends + rng.integers(0, 2, 200)], axis=1).astype(np.int32)
    spans[0] = spans[-1] = (-1, -1)  # special tokens
    data = pack_places([spans])
    assert len(data) < 1.2 * len(spans)
    for wrong in (data[:-3], b"", data + data, bytes(len(data))):
        with pytest.raises(ValueError):
            unpack_places(wrong, [(400, 2, "<i4")])
    with pytest.raises(ValueError):
        unpack_places(data, [(201, 2, "<i4")])


def test_threads_do_not_meet_in_the_memory_of_a_look_up(book: Codebook) -> None:
    query = directions(3, 7)
    rows = [book.encode(directions(30 + i, 3_000)).rows for i in range(4)]
    expected = [query @ book.decode(some).T for some in rows]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            found = threads.map(lambda some: book.similarities(query, some), rows)
            for one, right in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, right, atol=1e-4)
