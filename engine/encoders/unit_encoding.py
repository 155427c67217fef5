"""Units to encodings: which adapter, pixels or text, alone or with the rest of their file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.contract.types import Adapter, Encoding, TextInput, Unit
from engine.encoders.documents import assemble, groups
from engine.encoders.sights import Phrases, leaning
from engine.models.registry import ModelSpec


class PassageEncoder(Protocol):
    """Encodes what is stored; raises InklingError where an input can't be encoded."""

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        """Passages with their context."""

    def encode_images(self, paths: Sequence[str], adapter: Adapter) -> list[Encoding]:
        """Picture files."""

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """One document with its chunks."""


def encode_units(
    encoder: PassageEncoder, spec: ModelSpec, units: Sequence[Unit], phrases: Phrases
) -> list[Encoding]:
    """One encoding for each unit, in their order, or an error: none is ever left out.

    Units of a file come one after another. `phrases`: those of this model that were met before.
    """
    made: list[Encoding | None] = [None] * len(units)
    for adapter in spec.adapters:
        mine = [i for i, unit in enumerate(units) if spec.adapter_for(unit.kind) == adapter]
        seen = [i for i in mine if _sees(spec, units[i])]
        read = [i for i in mine if not _sees(spec, units[i])]
        together: list[list[int]] = []
        if spec.late_chunking:
            together, read = groups([(i, units[i]) for i in read])
        for chosen in together:
            # One forward over the file: each passage is read with what stands before it.
            document = assemble([units[i] for i in chosen])
            _fill(
                made,
                chosen,
                encoder.encode_chunks(document.text, document.spans, document.context, adapter),
            )
        if seen:
            images = [str(units[i].image) for i in seen]
            _fill(made, seen, encoder.encode_images(images, adapter))
        if read:
            texts = [TextInput(units[i].text, units[i].context) for i in read]
            told = [
                _as_shown(encoder, adapter, units[i], encoding, phrases)
                for i, encoding in zip(read, encoder.encode_texts(texts, adapter), strict=True)
            ]
            _fill(made, read, told)
    encodings = [encoding for encoding in made if encoding is not None]
    if len(encodings) != len(units):
        lost = sorted({unit.kind for unit, one in zip(units, made, strict=True) if one is None})
        raise ValueError(f"no adapter of {spec.id} encoded units of kind {', '.join(lost)}")
    return encodings


def _as_shown(
    encoder: PassageEncoder, adapter: Adapter, unit: Unit, encoding: Encoding, phrases: Phrases
) -> Encoding:
    if not unit.shows:
        return encoding

    def encode(missing: Sequence[str]) -> Sequence[Encoding]:
        return encoder.encode_texts([TextInput(phrase) for phrase in missing], adapter)

    return leaning(encoding, phrases.direction(unit.shows, encode))


def _sees(spec: ModelSpec, unit: Unit) -> bool:
    return unit.image is not None and "image" in spec.modalities


def _fill(
    made: list[Encoding | None], places: Sequence[int], encodings: Sequence[Encoding]
) -> None:
    for place, encoding in zip(places, encodings, strict=True):
        made[place] = encoding
