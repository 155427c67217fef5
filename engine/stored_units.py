"""Units as a store or an archive keeps them: encoded, with tokens pooled and in few bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Encoding, FileFacts, Unit
from engine.encoders.sights import Phrases
from engine.encoders.unit_encoding import PassageEncoder, encode_units
from engine.models.registry import ModelSpec
from engine.search.late_interaction import pool, quantise
from engine.store import StoredUnit
from engine.store.segments import TokenRecord


def stored_units(
    encoder: PassageEncoder,
    spec: ModelSpec,
    units: Sequence[tuple[FileFacts, Unit]],
    phrases: Phrases,
) -> list[StoredUnit]:
    """Exactly one stored unit for each unit, in their order, or InklingError.

    Pixels are encoded where the model sees and the unit has them, else its text. Units of a file
    come one after another. `phrases`: those of this model that were met before.
    """
    made = encode_units(encoder, spec, [unit for _, unit in units], phrases)
    return [
        StoredUnit(unit, facts, e.single, _record(spec, unit, e), e.note)
        for (facts, unit), e in zip(units, made, strict=True)
    ]


def _record(spec: ModelSpec, unit: Unit, encoding: Encoding) -> TokenRecord:
    """The compressed multi-vector with the origin of each token and the unit's word boxes."""
    pooled = pool(encoding.tokens, spec.pool_factor, spans=encoding.spans, boxes=encoding.boxes)
    boxes = pooled.boxes
    return TokenRecord(
        tokens=quantise(pooled.tokens),
        spans=pooled.spans,
        boxes=None if boxes is None else _to_uint16(boxes),
        word_spans=np.array([(w.start, w.end) for w in unit.words], np.int32).reshape(-1, 2),
        word_boxes=_to_uint16(np.array([w.box for w in unit.words], np.float32).reshape(-1, 4)),
    )


def _to_uint16(boxes: NDArray[np.float32]) -> NDArray[np.uint16]:
    """[n, 4] fractions of page or picture -> 1/65535."""
    return np.clip(boxes * 65535, 0, 65535).astype(np.uint16)
