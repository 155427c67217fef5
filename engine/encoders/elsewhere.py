"""Encoding on another machine: what is asked of whoever goes there, and what of an answer is taken.

The way itself, its address and whether it may be gone are the indexer's. What comes back was made
by a machine that may be of another version, broken or hostile: nothing of it is used unless it
could have been made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.models.registry import ModelSpec

Op = Literal["queries", "texts", "images", "chunks"]

#: How far a length may be from one: 16 bits a number on the way.
_OFF = 2e-2
#: Tokens of one input, pages of the largest context and pictures alike.
_MOST_TOKENS = 70_000
_MOST_NOTE = 500


class AwayError(InklingError):
    """What is elsewhere can't be had now, or is not what it should be; inputs are not to blame."""


class UnfitError(AwayError):
    """It is there, and does not do such things: others may still be asked of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """Inputs of one request, as the worker takes them; pictures as their bytes."""

    op: Op
    adapter: Adapter
    items: list[Any]
    urgent: bool = False
    #: Seconds after which it is done here instead.
    deadline_s: float = 60.0

    @property
    def results(self) -> int:
        """How many encodings it takes."""
        return len(self.items[1]) if self.op == "chunks" else len(self.items)


@dataclass(frozen=True, slots=True)
class Made:
    """An encoding for each input, or why there is none."""

    encodings: list[Encoding | None]
    failed: dict[int, InklingError] = field(default_factory=dict)
    fast: bool = False
    notes: tuple[str, ...] = ()


class Elsewhere(Protocol):
    """One model's encoder on another machine. From any thread."""

    def ready(self) -> bool:
        """Whether it is worth asking now: there is one, it may be asked, and it did not just
        fail."""

    def encode(self, job: Job) -> Made:
        """What was made there; AwayError where nothing was."""

    def told(self) -> dict[str, Any]:
        """For a person: where it is and how it goes."""

    def why(self) -> InklingError:
        """Why it is not asked now."""


#: Texts of a space with their stored vectors: for whom it must be shown that two models are one.
Samples = Callable[[int], Sequence[tuple[TextInput, np.ndarray]]]
#: The encoder elsewhere of a model, as the settings of the moment have it; None where none is.
FindElsewhere = Callable[[ModelSpec, Samples], Elsewhere]


def no_samples(count: int) -> Sequence[tuple[TextInput, np.ndarray]]:
    """Of a space without texts."""
    return ()


def checked(made: Made, job: Job, spec: ModelSpec) -> Made:
    """The same, where all of it could have been made here; AwayError names what could not."""
    if len(made.encodings) != job.results:
        raise _nonsense(f"{len(made.encodings)} encodings for {job.results} inputs")
    for place, encoding in enumerate(made.encodings):
        if (encoding is None) == (place not in made.failed):
            raise _nonsense("an input without an answer")
        if encoding is not None and (wrong := _wrong(encoding, job.op, spec)):
            raise _nonsense(wrong)
    return made


def _nonsense(what: str) -> AwayError:
    return AwayError(
        "What the encoder answered can't be right: {what}.",
        hint="Run the same version of Inkling there.",
        told={"what": what},
    )


def _wrong(made: Encoding, op: Op, spec: ModelSpec) -> str:
    """What can't be right about an encoding; "" where nothing is."""
    tokens = made.tokens
    width = spec.token_dim if len(tokens) else tokens.shape[-1]
    if made.single.shape != (spec.dim,) or tokens.ndim != 2 or tokens.shape[1] != width:
        return "vectors of another size"
    if len(tokens) > _MOST_TOKENS or len(made.note) > _MOST_NOTE:
        return "more than an input can have"
    if not _unit(made.single[None]) or not _unit(tokens):
        return "vectors that are no directions"
    if made.spans is not None and made.spans.shape != (len(tokens), 2):
        return "places of other tokens"
    if made.boxes is None:
        return "" if op != "images" or made.spans is None else "a picture read as text"
    if made.boxes.shape != (len(tokens), 4) or not np.isfinite(made.boxes).all():
        return "places of other tokens"
    return ""


def _unit(rows: np.ndarray) -> bool:
    """Whether all are finite and of length one, but for rounding."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    return bool((np.abs(lengths - 1.0) < _OFF).all())  # of NaN it is False
