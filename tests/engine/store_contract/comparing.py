"""Whether two stores answer the same, ties aside."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np

from engine.store import Candidate, UnitStore
from engine.store.lexicon import Lexicon
from engine.store.rows import Row
from engine.store.segments import StoredTokens
from engine.store.where import demands_of
from tests.engine.store.store_units import vector
from tests.engine.store_contract.made_units import TERMS, drawn_condition, drawn_terms

WORDS = ("amber", "amer", "bich", "cop", "delta", "ber", "maschin", "lichtmaschin", "embers")


def same_candidates(mine: Sequence[Candidate], theirs: Sequence[Candidate], close: float) -> None:
    """The same scores, and the same units except among those that tie with the last."""
    scores = [c.score for c in mine], [c.score for c in theirs]
    assert len(mine) == len(theirs), (mine, theirs)
    np.testing.assert_allclose(*scores, atol=close)
    if not mine:
        return
    last = min(scores[0][-1], scores[1][-1]) + 2 * close
    known = [{c.unit_id: c for c in some if c.score > last} for some in (mine, theirs)]
    assert known[0].keys() == known[1].keys()
    for uid, candidate in known[0].items():
        assert candidate.file_id == known[1][uid].file_id
        assert abs(candidate.score - known[1][uid].score) <= close


def same_rows(
    mine: Mapping[str, Row], theirs: Mapping[str, Row], stores: tuple[UnitStore, UnitStore]
) -> None:
    """The same in every field, and the same tokens behind their references."""
    assert mine.keys() == theirs.keys()
    for uid, row in mine.items():
        other = theirs[uid]
        for name in Row.__dataclass_fields__:
            if name != "ref":
                assert getattr(row, name) == getattr(other, name), (uid, name)
        assert (row.ref is None) == (other.ref is None)
        if row.ref is not None and other.ref is not None:
            (one,), (two,) = stores[0].tokens([row.ref]), stores[1].tokens([other.ref])
            same_tokens(one, two)


def same_tokens(one: StoredTokens, two: StoredTokens) -> None:
    """Bit for bit."""
    assert isinstance(one.tokens, np.ndarray)
    assert isinstance(two.tokens, np.ndarray)
    np.testing.assert_array_equal(one.tokens, two.tokens)
    for name in ("spans", "boxes", "word_spans", "word_boxes"):
        a, b = getattr(one, name), getattr(two, name)
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a, b)


def check_reads(mine: UnitStore, theirs: UnitStore, files: Sequence[int], most: int) -> None:
    """What is read by name, and all that is there."""
    assert mine.count() == theirs.count()
    ids = [f"{i}:{n}" for i in files for n in range(2 * most + 2)]
    same_rows(mine.rows(ids), theirs.rows(ids), (mine, theirs))
    assert mine.unit_terms(ids) == theirs.unit_terms(ids)
    for column in ("vector", "document"):
        one, two = mine.vectors(ids, column), theirs.vectors(ids, column)
        assert one.keys() == two.keys()
        for uid in one:
            np.testing.assert_allclose(one[uid], two[uid], atol=1e-3)
    for i in files:
        rows = mine.file_rows(i), theirs.file_rows(i)
        assert [row.unit_id for row in rows[0]] == [row.unit_id for row in rows[1]]
    assert sorted(mine.sampled_terms(10_000)) == sorted(theirs.sampled_terms(10_000))


def check_questions(
    mine: UnitStore,
    theirs: UnitStore,
    draw: random.Random,
    files: Sequence[int],
    *,
    one_scorer: bool = True,
) -> None:
    """One of each kind of question, drawn by chance.

    Without `one_scorer` conditions that the embedded store can tell in SQL alone may score by what
    LanceDB's index counts, outdated rows among it: then the units are compared, not their scores.
    """
    condition = drawn_condition(draw, files)
    limit = draw.choice((1, 5, 100))
    without = draw.sample(files, min(len(files), 3)) if draw.random() < 0.3 else ()
    near = vector(draw.randrange(500))
    same_candidates(
        mine.search_vector(near, condition, limit, without=without),
        theirs.search_vector(near, condition, limit, without=without),
        1e-3,
    )
    assert mine.exists(condition) == theirs.exists(condition)
    some = draw.sample(files, min(len(files), 10))
    assert mine.files_with(condition, some) == theirs.files_with(condition, some)
    asked, every = drawn_terms(draw), draw.random() < 0.2
    scored = one_scorer or demands_of(condition) is not None
    if not scored:  # nor is what stands side by side the same there
        asked = draw.sample(TERMS, 3)
    one, two = (
        s.search_text(asked, condition, limit if scored else 1_000, every=every, without=without)
        for s in (mine, theirs)
    )
    if scored:
        same_candidates(one, two, 1e-4)
    else:
        assert {c.unit_id for c in one} == {c.unit_id for c in two}
    terms = draw.sample(TERMS, 5)
    matches = [s.text_within(asked, some, limit, terms) for s in (mine, theirs)]
    same_candidates(matches[0].found, matches[1].found, 1e-4)
    if limit == 100:  # nothing was cut off
        held = [
            {c.unit_id: tuple(row) for c, row in zip(m.found, m.held.tolist(), strict=True)}
            for m in matches
        ]
        assert held[0] == held[1]
    phrase = draw.choice(("amber birch", "copper kettle", "›", "getRetryCount"))
    listed = mine.holding(phrase), theirs.holding(phrase)
    assert (listed[0] is None) == (listed[1] is None)
    assert sorted(listed[0] or ()) == sorted(listed[1] or ())
    word = draw.choice(WORDS)
    others = tuple(draw.sample(TERMS, 3))

    def ask(lexicon: Lexicon) -> tuple[object, ...]:
        held = lexicon.held(terms)
        return (
            held, lexicon.known(terms) & held.keys(), lexicon.beside(terms[0], others),
            {w for w in lexicon.near(word, 1) if lexicon.held([w])},
            [{w for w in side if lexicon.held([w])} for side in lexicon.longer(word, 50)],
            {row.unit_id for row in lexicon.passages(terms[1], 10_000)},
        )  # fmt: skip

    assert mine.ask_words(ask) == theirs.ask_words(ask)
