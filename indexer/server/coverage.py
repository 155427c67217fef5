"""Coverage: how much of what is there an answer could have come from."""

from __future__ import annotations

from collections.abc import Callable, Collection

from engine.contract.types import NOT_READ_YET, Coverage
from indexer.ledger.ledger import Ledger


class CoverageCounter:
    """Counts files by state once for every change of the ledger; for any thread."""

    def __init__(self, ledger: Ledger, scanning: Callable[[], Collection[int]]) -> None:
        """`scanning`: the roots that are being scanned."""
        self._ledger, self._scanning = ledger, scanning
        self._counted: tuple[tuple[int, int], dict[str, int]] | None = None

    def counts(self) -> dict[str, int]:
        """Files by state."""
        known, edition = self._counted, self._ledger.edition()
        if known is None or known[0] != edition:
            known = self._counted = edition, self._ledger.counts()
        return dict(known[1])

    def told(self) -> Coverage:
        """As an answer carries it."""
        counts = self.counts()
        waiting = counts.get("pending", 0) + counts.get("seen", 0)
        total = sum(counts.values())
        complete = not waiting and not self._scanning()
        message = (
            "" if complete else NOT_READ_YET.format(waiting=f"{waiting:,}", total=f"{total:,}")
        )
        return Coverage(total, counts.get("done", 0), waiting, complete, message)
