"""Goes on when memory runs out: smaller batches, then fewer pixels, then the CPU."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch

from engine.contract.errors import InklingError
from engine.encoders.jina_v4.forward import Row, States, batches

log = logging.getLogger(__name__)

LEAST_BUDGET = 64  # tokens; a forward that needs less would not fit either
_SIGNS = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad alloc")


class RunsBatches(Protocol):
    """A network on whatever back end."""

    budget: int  # cost of a batch at most

    @property
    def device(self) -> torch.device: ...

    def run_batch(self, rows: Sequence[Row], *, urgent: bool = False) -> list[States]: ...


class LowMemory:
    """Runs rows through a Forward; each step it has to take down is logged and noted once."""

    def __init__(
        self,
        forward: RunsBatches,
        notes: list[str],
        to_cpu: Callable[[], None] | None = None,
    ) -> None:
        self._forward = forward
        self.notes = notes
        self._to_cpu = to_cpu  # None on the CPU

    def run(self, rows: Sequence[Row], *, urgent: bool = False) -> Iterator[tuple[int, States]]:
        """(index, states) of every row, in the order they are done."""
        for batch in batches(rows, self._forward.budget):
            yield from zip(batch, self._attempt([rows[i] for i in batch], urgent), strict=True)

    def _attempt(self, rows: list[Row], urgent: bool) -> list[States]:
        try:
            return self._forward.run_batch(rows, urgent=urgent)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Down here, not in the clause above: the error's traceback holds on to the tensors.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if len(rows) > 1:
            self._halve(max(row.cost for row in rows) * len(rows))
            middle = len(rows) // 2
            return self._attempt(rows[:middle], urgent) + self._attempt(rows[middle:], urgent)
        return self._attempt([self._lighter(rows[0])], urgent)

    def _lighter(self, row: Row) -> Row:
        """The row, after making it or the model need less; InklingError if nothing is left."""
        if row.patches is None and min(len(row.ids), self._forward.budget) > LEAST_BUDGET:
            self._halve(len(row.ids))
            return row
        if row.smaller is not None and (smaller := row.smaller()) is not None:
            self._note("Memory ran out: large pictures are read with fewer pixels.")
            return smaller
        if self._to_cpu is None:
            raise InklingError(
                "There is not enough memory for the model.",
                hint="Close other programs, choose a smaller precision, or use the MiniLM model.",
            )
        self._to_cpu()
        self._to_cpu = None
        self._note("The graphics card's memory ran out: the model runs on the processor, slower.")
        return row

    def _halve(self, tried: int) -> None:
        self._forward.budget = max(LEAST_BUDGET, min(self._forward.budget, tried) // 2)
        log.warning("out of memory: batches of at most %d tokens", self._forward.budget)
        self._note("Memory ran out: texts are encoded in smaller batches.")

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            log.warning("%s", sentence)
            self.notes.append(sentence)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch, on whatever device, says that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(sign in str(error).lower() for sign in _SIGNS)
