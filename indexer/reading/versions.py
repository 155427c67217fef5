"""What files are read with now, in one number a family: extractor, chunking and context."""

from __future__ import annotations

from indexer.ledger.records import Reader
from indexer.reading import chunking, context, extract
from indexer.reading.extract.base import Extractor

#: Each part grows by itself, and the number grows with each. The first versions of chunking and
#: context add nothing, so that a ledger from before they were counted is right.
_CHUNKING, _CONTEXT = 1_000, 1_000_000


def reading_version(extractor: Extractor) -> int:
    """Which version a file of this extractor is read in now; larger ones read better."""
    own = extractor.version
    if extractor.helped_by is not None:
        own = 2 * own + extractor.helped_by()
    return own + _CHUNKING * (chunking.VERSION - 1) + _CONTEXT * (context.VERSION - 1)


def readers() -> list[Reader]:
    """Every family of files, for the ledger to compare with what it notes of each file."""
    seen: set[str] = set()
    rows = []
    for row in extract.EXTRACTORS:  # where two know an extension the first reads it
        mine = sorted(row.extensions - seen)
        seen |= row.extensions
        rows.append(Reader(row.name, reading_version(row), tuple(mine)))
    return rows
