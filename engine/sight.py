"""A model in the role of sight: it sees pictures, and reads questions for them, in a space of its
own beside the one that answers texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.contract.paths import BaseDir
from engine.contract.types import Encoding, Filters, Query
from engine.encoders.elsewhere import FindElsewhere
from engine.encoders.pool import EncoderPool, State
from engine.encoders.routed import routed
from engine.models.registry import ModelSpec
from engine.search.late_interaction import pool as pooled_tokens
from engine.search.late_interaction import quantise
from engine.search.query_encoding import QueryEncodings
from engine.store import Sightings
from engine.store.token_record import TokenRecord

#: What it is asked for, whatever the question demands: one adapter serves all pictures.
_PICTURES = Filters(kinds=("image",))


class SightModel:
    """Its encoder worker and what it saw. From any thread; InklingError where the model or the
    store can't."""

    def __init__(
        self,
        base: BaseDir,
        spec: ModelSpec,
        *,
        elsewhere: FindElsewhere | None = None,
        idle_s: float = 60.0,
        threads: int | None = None,
    ) -> None:
        self.spec = spec
        self.sightings = Sightings(base.store, spec.space, spec.dim)
        pool = EncoderPool(spec, base, idle_s=idle_s, threads=threads)
        self.encoders = routed(pool, base, elsewhere)
        self._adapter = spec.adapter_for("image")
        self._questions = QueryEncodings(self.encoders, spec)

    def see(self, pictures: Sequence[str]) -> tuple[NDArray[np.float32], list[TokenRecord]]:
        """[p, d] of picture files, unit length, in their order; and the tokens of each as they are
        stored, where it takes them to compare pictures."""
        made = self.encoders.encode_images(pictures, self._adapter)
        singles = np.stack([encoding.single for encoding in made])
        if not self.spec.late_only:
            return singles, []
        pooled = (pooled_tokens(encoding.tokens, self.spec.pool_factor).tokens for encoding in made)
        return singles, [TokenRecord(quantise(tokens)) for tokens in pooled]

    def asks(self, query: Query) -> bool:
        """Whether there is anything in a question that it can read or see. Of a picture that is
        not at hand what it says is no question for pictures."""
        return query.image is not None or (bool(query.text) and not query.told_by_image)

    def question(self, query: Query) -> Encoding:
        """Of a question: its words, its picture, or both alike. Words that only
        say what is on the picture are left out. Blocks while the model is loaded."""
        text = "" if query.told_by_image and query.image else query.text
        asked = replace(query, text=text, filters=_PICTURES)
        return self._questions.of(asked).by_adapter[self._adapter]

    @property
    def late_only(self) -> bool:
        """Whether pictures are compared by their tokens."""
        return self.spec.late_only

    @property
    def state(self) -> State:
        """Whether it is loaded; "failed": it can't be, and pictures are not to blame."""
        return self.encoders.state

    @property
    def notes(self) -> list[str]:
        """What a person should know of how it runs now."""
        return list(self.encoders.notes)

    def stop(self) -> None:
        """See nothing more; whoever waits gets an InklingError. Call `close` later."""
        self.encoders.close()

    def close(self) -> None:
        """Stop its worker and let go of the store."""
        self.encoders.close()
        self.sightings.close()
