"""The lexicon of a store: by its arrays and by its table, over what is on disk and what came since;
and terms that stand in for one another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store
from engine.store.term_groups import AnyOf, Variant
from tests.engine.store.arrays_checks import by_the_table, view_of
from tests.engine.store.store_units import DIM, facts, unit

TEXTS = {
    1: "rechnung und betrag",
    2: "rechnungsbetrag",
    3: "betrag",
    4: "library budget budget",
    5: "library",
    6: "4 075 customers",
    7: "075 or 4 customers",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path, "m", DIM)
    made.replace_files({i: [unit(facts(i), text=text)] for i, text in TEXTS.items() if i < 5})
    made.maintain(force=True)
    made.replace_files({i: [unit(facts(i), text=text)] for i, text in TEXTS.items() if i >= 5})
    made.replace_files({8: [unit(facts(8), text="bungalow")]})
    made.delete_files([8])
    assert view_of(made) is not None
    yield made
    made.close()


@pytest.mark.parametrize("plain", [False, True], ids=["arrays", "table"])
def test_what_it_knows_of_words(store: Store, plain: bool) -> None:
    asked = by_the_table(store) if plain else store
    told = asked.ask_words(
        lambda words: (
            words.held(["librari", "budget", "bungalow", "unicorn"]),
            words.beside("librari", ["budget", "unicorn"]),
            words.near("bugdet", 2),
            words.passages("budget", 3)[0].text,
        )
    )
    assert told == ({"librari": 2, "budget": 1}, 1, ["budget"], TEXTS[4])


def test_longer_words_are_found_in_old_and_new_units(store: Store) -> None:
    begun, ended = store.ask_words(lambda words: words.longer("betrag", 9))
    assert (begun, ended) == ([], ["rechnungsbetrag"])
    assert store.ask_words(lambda words: words.longer("custom", 9)) == (
        [],
        [],
    )  # "customers" is known as "custom"
    assert store.ask_words(lambda words: words.longer("libr", 9))[0] == ["librari"]


def found(store: Store, *variants: Variant) -> list[str]:
    return [c.unit_id for c in store.search_text([AnyOf(variants)], None, 9)]


def test_variants_count_once_and_the_word_itself_most(store: Store) -> None:
    variants = (
        Variant(("rechnungsbetrag",)),
        Variant(("rechnung", "betrag"), 0.6),
        Variant(("unicorn",), 0.9),
    )
    assert found(store, *variants) == ["2:0", "1:0"]
    assert set(found(by_the_table(store), *variants)) == {"1:0", "2:0"}
    scores = [c.score for c in store.search_text([AnyOf(variants)], None, 9)]
    assert scores[1] < scores[0]


def test_terms_side_by_side(store: Store) -> None:
    assert found(store, Variant(("4", "075"), 1.0, adjacent=True)) == ["6:0"]
    assert set(found(store, Variant(("4", "075")))) == {"6:0", "7:0"}


def test_arrays_without_words_are_made_anew(store: Store, tmp_path: Path) -> None:
    """Those of an earlier version have another mark at the head of their vocabulary."""
    store.maintain(force=True)
    store.close()
    (path,) = tmp_path.rglob("*.vocabulary")
    path.write_bytes(b"IkV1" + path.read_bytes()[4:])
    again = Store.open(tmp_path, "m", DIM)
    again.maintain(force=True)
    assert view_of(again) is not None
    assert again.ask_words(lambda words: words.near("bugdet", 2)) == ["budget"]
    again.close()
