"""When an archive's tables are put in order, so that many small puts stay fast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from engine.archive.tables import Table

#: Old versions stay readable that long, for who reads them.
GRACE = timedelta(hours=1)


class Upkeep:
    """Of one archive's tables."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables

    def committed(self) -> None:
        """Take note of a commit."""

    def run(self) -> None:
        """Merge fragments, bring the indexes up to date, remove old versions."""
        for table in self._tables:
            table.write(lambda t: t.optimize(cleanup_older_than=GRACE))
