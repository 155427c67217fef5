"""Pools filled by files first: no long file, none of many copies, crowds out the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from engine.search.copies import Copies
from engine.store import Candidate

#: How often a lane is asked again without the files that crowd its pool.
ROUNDS = 6
#: Share of a pool that crowding files may take from the others before the lane is asked again.
CROWDED = 0.5

#: The best so many of a lane, of none of these files.
Ask = Callable[[int, Sequence[int]], Sequence[Candidate]]


def spread(owners: Iterable[int], size: int, per_owner: int) -> list[int]:
    """Places of the first `size` in an order, of no owner more than `per_owner` while there are
    others; then the first of the rest."""
    first, rest, counts = list[int](), list[int](), Counter[int]()
    for place, owner in enumerate(owners):
        counts[owner] += 1
        (first if counts[owner] <= per_owner else rest).append(place)
        if len(first) == size:
            break
    return sorted([*first, *rest[: size - len(first)]])


def files_first(ask: Ask, size: int, per_file: int, copies: Copies) -> list[Candidate]:
    """A lane's pool, best first."""
    found: dict[str, Candidate] = {}
    crowding: set[int] = set()
    for _ in range(ROUNDS):
        told = ask(size, sorted(crowding))
        found.update((candidate.unit_id, candidate) for candidate in told)
        owners = copies.owners([candidate.file_id for candidate in found.values()])
        counts = Counter(owners)
        others = sum(min(count, per_file) for count in counts.values())
        more = copies.all_of({o for o, count in counts.items() if count > per_file})
        if len(told) < size or others >= CROWDED * size or crowding.issuperset(more):
            break
        crowding.update(more)
    ranked = sorted(found.values(), key=lambda candidate: -candidate.score)
    owners = copies.owners([candidate.file_id for candidate in ranked])
    return [ranked[place] for place in spread(owners, size, per_file)]


def more_files(ask: Ask, pool: Sequence[Candidate], wanted: int, copies: Copies) -> list[Candidate]:
    """The best candidate of each further file, until pool and these are of so many files."""
    files = set(copies.owners([candidate.file_id for candidate in pool]))
    added: dict[int, Candidate] = {}
    size = max(wanted, len(pool))
    while len(files) + len(added) < wanted:
        told = ask(size, copies.all_of(files | added.keys()))
        owners = copies.owners([candidate.file_id for candidate in told])
        for owner, candidate in zip(owners, told, strict=True):
            added.setdefault(owner, candidate)
        if len(told) < size:
            break
        size *= 2
    return list(added.values())[: max(0, wanted - len(files))]
