"""Expansion: what a question's words find beyond themselves, in a store of a few passages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.search.expansion import Expansion, expand, merged
from engine.search.word_endings import other_forms
from engine.store import Store
from engine.store.analyzer import analyze
from engine.store.spelling import fold
from engine.store.term_groups import groups_of
from tests.engine.store.arrays_checks import by_the_table
from tests.engine.store.store_units import DIM, facts, unit

TEXTS = (
    "Zwei Schrauben und drei Löcher; die Zählerstände der Häuser",
    "Der Rechnungsbetrag ist offen",
    "Rechnung vom Mai: der Betrag fehlt",
    "Die Wohnungsgeberbestätigung liegt im Keller",
    "les choux, les journaux et les tomates",
    "las canciones y las luces",
    "library budget of the village, a reservation for children",
    "def retryUpload(chunk): the lighthouse is slight",
    "a house with a light",
    "the thundering herd",
    "a head, a head, a head of cabbage",
    *["the received letters"] * 60,
    "recieved once",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store.open(tmp_path_factory.mktemp("expansion"), "m", DIM)
    made.replace_files({i: [unit(facts(i), text=text)] for i, text in enumerate(TEXTS, 1)})
    made.maintain(force=True)  # LanceDB compares units exactly that its index has not seen
    yield made
    made.close()


def asked(store: Store, text: str) -> Expansion:
    return store.ask_words(lambda lexicon: expand(lexicon, text))


def found(store: Store, text: str) -> list[int]:
    answer = store.search_text(asked(store, text).asked, None, 100)
    return [candidate.file_id for candidate in answer]


def spelling(store: Store, text: str) -> str:
    return asked(store, text).spelling(text)


@pytest.mark.parametrize(
    ("question", "file_id"),
    [
        ("Schraube", 1), ("Loch", 1), ("Zaehlerstaende", 1), ("Haus", 1),
        ("chou", 5), ("journal", 5), ("tomate", 5), ("canción", 6), ("luz", 6), ("child", 7),
        ("Bestätigung", 4), ("Wohnungsgeber", 4), ("Kellerwand", 4),
        ("retryupload", 8), ("retry_upload", 8), ("retry upload", 8), ("RetryUpload", 8),
        ("libr", 7), ("reservaton", 7), ("libary", 7), ("bugdet", 7), ("budgett", 7),

    ],
)  # fmt: skip
def test_finds(store: Store, question: str, file_id: int) -> None:
    assert found(store, question)[:1] == [file_id]


@pytest.mark.parametrize(
    ("question", "file_id"), [("Schraube", 1), ("chou", 5), ("libary", 7), ("Kellerwand", 4)]
)
def test_finds_without_arrays(store: Store, question: str, file_id: int) -> None:
    assert found(by_the_table(store), question)[:1] == [file_id]


def test_a_compound_and_its_parts_find_each_other(store: Store) -> None:
    assert set(found(store, "Rechnung Betrag")) == set(found(store, "Rechnungs Betrag")) == {2, 3}
    assert found(store, "Betragsrechnung") == [3]
    assert set(found(store, "light house")) == {8, 9}


@pytest.mark.parametrize(
    ("question", "spelt"),
    [
        ("libary bugdet", "library budget"), ("Libary", "library"), ("reservaton", "reservation"),
        ("thundering heard", "thundering herd"), ("library budget", ""), ("Schraube", ""),
        ("xylophone", ""), ("libr", ""), ("4711", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_was_misspelt_is_said(store: Store, question: str, spelt: str) -> None:
    assert spelling(store, question) == spelt


def test_a_known_word_is_not_mended_unless_hardly_anything_holds_it(store: Store) -> None:
    assert found(store, "light") == [9, 8]  # "slight" is another word, "lighthouse" holds it
    assert set(found(store, "head")) == {11}  # not "herd"
    assert len(found(store, "recieved")) == 61
    assert found(store, "received") == list(range(12, 72))


def test_short_words_keep_their_first_letter(store: Store) -> None:
    assert found(store, "bead") == []
    assert found(store, "hexd")[:1] in ([10], [11])


def test_a_word_of_some_language_was_hardly_meant_to_be_another(store: Store) -> None:
    assert found(store, "Hans") == found(store, "hard") == []  # not "Haus", nor "herd"
    assert spelling(store, "der Hans und die hard") == ""
    assert spelling(store, "thundering heard") == "thundering herd"  # they stand together


def test_what_holds_a_sentence_together_is_not_mended(store: Store) -> None:
    assert spelling(store, "thus herd") == spelling(store, "und") == ""
    groups = groups_of(asked(store, "oder eine").asked)
    assert [variant.terms for group in groups for variant in group.variants] == [
        ("oder",),
        ("ein",),
    ]


def test_a_question_in_another_language_than_the_passages_is_not_misspelt(store: Store) -> None:
    typed = "libary bugdet lettrs housse villag"
    assert spelling(store, typed) == ""
    assert 7 in found(store, typed)
    assert spelling(store, "libary budget of the village letters") != ""


def test_an_identifier_is_no_compound_of_its_parts(store: Store) -> None:
    """Who holds `retryUpload` holds "upload" as well."""
    (upload,) = asked(store, "upload").words
    assert upload.others == ()
    (light,) = asked(store, "light").words
    assert [variant.terms for variant in light.others] == [("lighthous",)]


def test_evidence_marks_the_word_that_stands_there(store: Store) -> None:
    marks = asked(store, "libary bugdet").marks()
    assert marks == {"librari": "libary", "budget": "bugdet"}


def test_names_spell_what_passages_do_not_know(store: Store) -> None:
    expansion = asked(store, "libary xylofone")
    assert merged("libary xylofone", expansion, "libary xylophone") == "library xylophone"
    assert merged("library budget", asked(store, "library budget"), "") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rechnung", "Rechnungen"), ("Haus", "Häuser"), ("Kind", "Kindern"), ("Tag", "Tage"),
        ("journal", "journaux"), ("bateau", "bateaux"), ("fenêtre", "fenêtres"),
        ("canción", "canciones"), ("luz", "luces"), ("leaf", "leaves"), ("mouse", "mice"),
    ],
)  # fmt: skip
def test_forms_find_each_other(one: str, other: str) -> None:
    for a, b in ((one, other), (other, one)):
        (term,) = analyze(b)
        assert term in {*other_forms(fold(a), known=False), *analyze(a)}


def test_a_known_word_has_no_doubtful_forms() -> None:
    (term,) = analyze("plane")
    assert term not in other_forms("plan", known=True)
    assert analyze("Rechner")[0] not in other_forms("rechnung", known=False)
