"""When an archive's tables are put in order, so that many small puts stay fast."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from engine.archive.tables import Table
from engine.contract.errors import StoreBusyError

log = logging.getLogger(__name__)

#: Old versions stay readable that long, for who reads them.
GRACE = timedelta(hours=1)
#: Commits between two looks at the tables.
COMMITS = 16
#: A table's small fragments are merged where there are so many, and that writes no more rows anew
#: than were added since: a row is written some log2 of all rows times in its life. Where there are
#: far too many, they are merged at any rate.
FRAGMENTS, TOO_MANY = 32, 1_000
#: Rows that no index knows are read one by one: some are no matter, a tenth of all neither.
UNINDEXED_ROWS, UNINDEXED_SHARE = 10_000, 0.1


class Upkeep:
    """Of one archive's tables; the writer's."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables
        self._commits = 0

    def committed(self) -> None:
        """Take note of a commit; now and then, do what is due."""
        self._commits += 1
        if self._commits % COMMITS:
            return
        try:
            for table in self._tables:
                if _scattered(table):
                    _optimize(table)
                else:
                    _renew_indexes(table)
        except StoreBusyError as error:  # another writer was at it; next time
            log.info("the archive's upkeep is put off: %s", error)

    def run(self) -> None:
        """Merge fragments, bring the indexes up to date, remove old versions."""
        for table in self._tables:
            _optimize(table)


def _optimize(table: Table) -> None:
    table.write(lambda t: t.optimize(cleanup_older_than=GRACE))


def _scattered(table: Table) -> bool:
    stats = table.read(lambda t: t.stats())["fragment_stats"]
    small = stats["num_small_fragments"]
    if small < FRAGMENTS:
        return False
    rows, largest = table.count(), stats["lengths"]["max"]
    added = rows - largest * (stats["num_fragments"] - small + 1)
    return bool(small >= TOO_MANY or added >= largest)


def _renew_indexes(table: Table) -> None:
    for column in table.indexed:
        stats = table.index_stats(column)
        if stats is None or stats.num_unindexed_rows > max(
            UNINDEXED_ROWS, UNINDEXED_SHARE * stats.num_indexed_rows
        ):
            table.index(column)
