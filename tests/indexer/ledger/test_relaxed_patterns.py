"""A wildcard that no name meets gives way to the least loose one that some name meets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine import NameMatch
from engine.contract.query import parse
from engine.contract.types import Filters
from engine.search.patterns import relax_patterns
from indexer.ledger.ledger import Ledger, Root
from indexer.reading.work import name_match
from tests.indexer.ledger.noted_files import add


@pytest.mark.parametrize(
    ("typed", "patterns"),
    [
        ("lea*.md", ("lea*.md",)),
        ("lea*.txt", ("lea*",)),
        ("leaf.*x", ("leaf*",)),
        ("eaf*.md", ("*eaf*",)),
        ("lea*.txt ext:md", ("lea*",)),
        ("lea*.txt in:old", ("lea*.txt",)),  # nothing there begins so
        ("zebra*.txt", ("zebra*.txt",)),
        ("*.txt", ("*.txt",)),  # any ending would be any name
        ("?.txt", ("?.txt",)),
        ("lea*.txt spr*.txt", ("lea*", "spr*")),
        ("lea*.md zebra*.txt", ("lea*.md", "zebra*.txt")),  # some file meets it
        ("no wildcard", ()),
    ],
)
def test_patterns_are_as_strict_as_names_allow(
    ledger: Ledger, root: Root, typed: str, patterns: tuple[str, ...]
) -> None:
    add(ledger, root, "new/leaf.md", "new/spring leaves.pdf", "old/autumn.md")

    def names(words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        return [name_match(hit) for hit in ledger.find_names(words, limit, filters)]

    query = parse(typed)
    relaxed = relax_patterns(query, names)
    assert relaxed.filters.names == patterns
    assert (relaxed is query) == (query.filters.names == patterns)
