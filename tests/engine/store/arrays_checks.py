"""Made-up units, and what has to agree between the arrays and the table."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.contract.types import FileFacts, Filters, Kind, Unit
from engine.store import Store, StoredUnit
from engine.store.analyzer import analyze
from engine.store.array_view import View
from engine.store.condition import Condition
from engine.store.where import demands_of
from tests.engine.store.store_units import DIM, vector

KINDS: tuple[Kind, ...] = ("note", "code", "pdf", "image")

WORDS = ("amber", "birch", "copper", "delta", "ember", "fjord")

EXTS, LANGUAGES = ("md", "py", ""), (None, "en", "python")


def made(file_id: int, units: int, seed: int) -> list[StoredUnit]:
    """Units of a file; everything about them follows from the seed."""
    draw = random.Random(seed)
    kind = draw.choice(KINDS)
    picture = draw.choice((None, "screenshot", "photo")) if kind == "image" else None
    file = FileFacts(
        file_id, f"/home/me/{seed}.{file_id}", kind, picture, draw.choice(EXTS),
        float(draw.randrange(5)), draw.randrange(5),
    )  # fmt: skip
    stored = []
    for n in range(units):
        text = " ".join(draw.choices(WORDS, range(1, len(WORDS) + 1), k=draw.randrange(9)))
        content = Unit(
            file_id, n * draw.choice((1, 3)), kind, text, language=draw.choice(LANGUAGES)
        )
        direction = None if draw.random() < 0.15 else vector(draw.randrange(40))
        stored.append(StoredUnit(content, file, direction, None))
    return list({s.unit.unit_id: s for s in stored}.values())


def by_the_table(store: Store) -> Store:
    """The same store, without arrays."""
    return Store(store._table, store.meta, store._segments, DIM, read_only=True)


def view_of(store: Store) -> View | None:
    assert store._arrays is not None
    return store._arrays.view(store._table.mark())


def check_agreement(store: Store, *, filters: Filters | None = None, answers: bool = True) -> None:
    """Look-ups and neighbours are those of the table, and came from the arrays."""
    view = view_of(store)
    assert (view is not None) == answers
    plain = by_the_table(store)
    rows = plain._scan(None, ["id"], lambda found: found["id"].to_pylist())
    asked = [*rows, "77:1", "1:077", " 1:0", "'); DROP", "", "9" * 30 + ":1"]
    for column in ("vector", "document"):
        have, expected = store.vectors(asked, column), plain.vectors(asked, column)
        assert have.keys() == expected.keys()
        for unit_id, direction in expected.items():
            assert np.array_equal(have[unit_id], direction)
    assert store.rows(asked) == plain.rows(asked)
    for file_id in (*{int(row.partition(":")[0]) for row in rows}, 77, -1):
        assert store.file_rows(file_id) == plain.file_rows(file_id)
    where = None if filters is None else Condition(filters)
    assert demands_of(where) is not None
    for seed in (1, 2):
        query = vector(seed)
        found = store.search_vector(query, where, 7)
        lance = plain.search_vector(query, where, 999)
        # LanceDB rounds the question to float16: which units it takes is to be compared, not order.
        exact = plain.vectors([c.unit_id for c in lance])
        brute = {c.unit_id: cosine(exact[c.unit_id], query) for c in lance}
        assert {c.unit_id: c.score for c in lance} == pytest.approx(brute, abs=1e-3)
        if answers and view is not None and view.near is not None:
            best = sorted(brute.values(), reverse=True)[:7]
            assert [c.score for c in found] == pytest.approx(best, abs=2e-6)
        assert {c.unit_id: c.score for c in found} == pytest.approx(
            {c.unit_id: brute[c.unit_id] for c in found}, abs=1e-3
        )
        assert all(c.unit_id.startswith(f"{c.file_id}:") for c in found)
        assert len({c.unit_id for c in found}) == len(found) == min(7, len(brute))
    check_words(store, plain, where)


def has_terms(store: Store) -> bool:
    view = view_of(store)
    return view is not None and view.terms is not None


def check_words(store: Store, plain: Store, where: str | None) -> None:
    """Full text finds what LanceDB finds, with the scores of the textbook."""
    pairs = plain._scan(None, ["id", "fts"], lambda found: list(found.to_pydict().values()))
    texts = dict(zip(*pairs, strict=True))
    for words in (["amber"], ["fjord", "birch", "nowhere"], ["delta", "fjord"]):
        terms = [term for word in words for term in analyze(word)]
        scores = bm25(texts, terms)
        for every in (False, True):
            lance = plain.search_text(terms, where, 999, every=every)
            found = store.search_text(terms, where, 999, every=every)
            assert {(c.unit_id, c.file_id) for c in found} == {
                (c.unit_id, c.file_id) for c in lance
            }
            few = store.search_text(terms, where, 3, every=every)
            for some in (found, few) if has_terms(store) else ():
                assert [c.score for c in some] == pytest.approx(
                    sorted((scores[c.unit_id] for c in found), reverse=True)[: len(some)], rel=1e-5
                )
        files = [1, 2, 3, 99]
        looked_for = [*terms, "birch", "nothing"]
        told = []
        for reader in (plain, store):
            within = reader.text_within(terms, files, 999, looked_for)
            rows = zip(within.found, within.held.tolist(), strict=True)
            told.append({(c.unit_id, c.file_id, *held) for c, held in rows})
            assert reader.unit_terms([c.unit_id for c in within.found] + ["99:7", "?"]) == {
                c.unit_id: texts[c.unit_id] for c in within.found
            }
        assert told[0] == told[1]


def bm25(texts: Mapping[str, str], terms: Sequence[str]) -> dict[str, float]:
    units = {unit_id: text.split() for unit_id, text in texts.items()}
    average = sum(map(len, units.values())) / max(len(units), 1)
    scores = dict.fromkeys(units, 0.0)
    for term in terms:
        holding = sum(term in words for words in units.values())
        rarity = math.log(1 + (len(units) - holding + 0.5) / (holding + 0.5))
        for unit_id, words in units.items():
            times = words.count(term)
            norm = 1.2 * (0.25 + 0.75 * len(words) / max(average, 1e-9))
            scores[unit_id] += rarity * times * 2.2 / (times + norm)
    return scores


def cosine(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    a, b = one.astype(np.float64), two.astype(np.float64)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
