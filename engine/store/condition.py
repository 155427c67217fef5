"""What a unit must fulfil to be found, as data: each store says it in its own language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.contract.types import Filters


@dataclass(frozen=True, slots=True)
class Condition:
    """All of it holds at once; with nothing demanded every unit fulfils it."""

    filters: Filters = field(default_factory=Filters)
    #: Texts that text or context hold, whatever their case, spacing and line breaks.
    phrases: tuple[str, ...] = ()
    #: Words, or texts of several, that the unit does not hold.
    excluded: tuple[str, ...] = ()
    #: The caller's own demand on top of the filters: the kinds that an adapter encodes.
    kinds: tuple[str, ...] = ()
    #: Lists of unit ids, each of which the unit is in: where a phrase may stand.
    candidate_ids: tuple[tuple[str, ...], ...] = ()
    #: The files that it may be of; None: of any.
    file_ids: tuple[int, ...] | None = None

    def among(self, file_ids: Sequence[int]) -> Condition:
        """The same, of these files alone."""
        known = self.file_ids
        chosen = file_ids if known is None else [i for i in file_ids if i in set(known)]
        return replace(self, file_ids=tuple(chosen))


#: What every unit fulfils.
ANYTHING = Condition()
