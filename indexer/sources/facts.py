"""What tells an edition of a file: size, time of change, inode, as the ledger can keep them."""

from __future__ import annotations

import os

from indexer.sources.systems import inode as inode_of

#: SQLite's integers end there; file systems know times beyond the year 2262 and inodes of 64 bits.
_MOST = 2**63 - 1

Facts = tuple[int, int, int]


def facts_of(found: os.stat_result) -> Facts:
    """Size in bytes, time of change in nanoseconds, inode (0 where the system does not tell)."""
    inode = inode_of(found)
    return (
        min(found.st_size, _MOST),
        max(-_MOST, min(found.st_mtime_ns, _MOST)),
        inode if inode <= _MOST else inode - 2**64,
    )
