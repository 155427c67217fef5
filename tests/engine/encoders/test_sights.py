"""The direction of a picture among texts: of phrases for what it shows, each as likely as it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.contract.types import Adapter, Encoding, TextInput, Unit
from engine.encoders.sights import LEANING, Phrases
from engine.encoders.unit_encoding import encode_units
from engine.models.registry import DEFAULT_MODEL, model_spec

WORDS = ("dog", "cat", "photo", "harbour")


class Directions:
    """Encodes a text as how often it has each of WORDS; what it was given stands in `given`."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        said = [f"{text.context} {text.text}" for text in texts]
        self.given += said
        counts = np.array([[text.count(word) for word in WORDS] for text in said], np.float32)
        singles = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return [Encoding(single, np.ones((1, 4), np.float32)) for single in singles]

    def encode_images(self, paths: Sequence[str], adapter: Adapter) -> list[Encoding]:
        raise AssertionError(paths)

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        raise AssertionError(text)


def test_a_picture_lies_where_what_it_shows_does() -> None:
    encoder, phrases, spec = Directions(), Phrases(), model_spec(DEFAULT_MODEL)
    photo = Unit(1, 0, "image", "", "harbour", shows=(("a dog", 0.8), ("a cat", 0.2)))
    note = Unit(2, 0, "note", "a cat", "")
    first, second = encode_units(encoder, spec, [photo, note], phrases)
    dog, cat = 0.8 / np.hypot(0.8, 0.2), 0.2 / np.hypot(0.8, 0.2)
    leant = np.array([LEANING * dog, LEANING * cat, 0, 1])
    assert first.single == pytest.approx(leant / np.linalg.norm(leant), abs=1e-6)
    assert first.tokens.shape == (1, 4)  # word by word it stays what its words say
    assert second.single == pytest.approx([0, 1, 0, 0])
    given = len(encoder.given)
    again = encode_units(encoder, spec, [photo], phrases)[0]
    assert again.single == pytest.approx(first.single)
    assert encoder.given[given:] == ["harbour "]  # phrases are encoded once
