"""What the pool sends to its worker: calls of many inputs cut into requests, and how they end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.contract.errors import InklingError, WorkerDiedError
from engine.contract.types import Adapter, Encoding

QUERY, BATCH = 0, 1  # priorities
FATAL = 2  # times an input may end the worker before it is set aside
_DEADLINE_S = 900.0  # for one request; a forward that takes longer hangs
_DEADLINE_CHARACTERS = 16_000  # of a document in one request that the deadline is for


class InputsFailedError(InklingError):
    """Some inputs of a batch could not be encoded; the others are in `encodings`."""

    def __init__(
        self, failed: dict[int, InklingError], encodings: Sequence[Encoding | None]
    ) -> None:
        first = failed[min(failed)]
        words = (first.template, first.hint_template)
        super().__init__(words[0], hint=words[1], path=first.path, told=first.told)
        self.failed = failed  # by position in the call's inputs
        self.encodings = encodings  # None where failed


class Call:
    """One caller waiting for all of its inputs."""

    def __init__(self, size: int) -> None:
        self.encodings: list[Encoding | None] = [None] * size
        self.failed: dict[int, InklingError] = {}
        self.missing = size
        self.done = threading.Event()

    def settle(self, positions: Sequence[int], outcome: Sequence[Encoding] | InklingError) -> None:
        """Results for the inputs at these positions, or why there are none.

        Too few or too many are none: they could not be told apart.
        """
        if not isinstance(outcome, InklingError) and len(outcome) != len(positions):
            outcome = InklingError(
                "The model gave {encodings} encodings for {inputs} inputs.",
                told={"encodings": len(outcome), "inputs": len(positions)},
            )
        for offset, position in enumerate(positions):
            if isinstance(outcome, InklingError):
                self.failed[position] = outcome
            else:
                self.encodings[position] = outcome[offset]
        self.missing -= len(positions)
        if not self.missing:
            self.done.set()

    def result(self) -> list[Encoding]:
        self.done.wait()
        if self.failed:
            raise InputsFailedError(self.failed, self.encodings)
        return [e for e in self.encodings if e is not None]


@dataclass(eq=False, slots=True)
class Request:
    """Some inputs of a call, sent in one message."""

    op: str
    adapter: Adapter
    items: list[Any]
    positions: list[int]  # of its results among the call's
    call: Call
    priority: int
    id: int = 0
    crashes: int = 0
    sent: float = 0.0

    def message(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "op": self.op,
            "adapter": self.adapter,
            "items": self.items,
            "priority": self.priority,
        }

    @property
    def deadline_s(self) -> float:
        """A long document may take as many times as long as it has more characters."""
        characters = len(self.items[0]) if self.op == "chunks" else 0
        return _DEADLINE_S * max(1.0, characters / _DEADLINE_CHARACTERS)

    def halves(self) -> list[Request]:
        middle = len(self.items) // 2
        return [
            Request(
                self.op,
                self.adapter,
                self.items[part],
                self.positions[part],
                self.call,
                self.priority,
                crashes=FATAL - 1,
            )
            for part in (slice(middle), slice(middle, None))
        ]


def not_loaded(title: str) -> WorkerDiedError:
    """The worker ended twice while it loaded the model."""
    return WorkerDiedError(
        "{title} could not be loaded twice.",
        hint="See logs/ in Inkling's folder; memory may be short.",
        told={"title": title},
    )


def ended_by(request: Request) -> WorkerDiedError:
    """The request's input ended the worker twice. What it says is not quoted."""
    item = request.items[0]
    if request.op == "images":
        return WorkerDiedError(
            "The picture {picture} ended the encoder twice.",
            hint="See logs/ in Inkling's folder; memory may be short.",
            told={"picture": item},
        )
    text = item if isinstance(item, str) else item[0]
    return WorkerDiedError(
        "A text of {characters} characters ended the encoder twice.",
        hint="See logs/ in Inkling's folder; memory may be short.",
        told={"characters": len(text)},
    )
