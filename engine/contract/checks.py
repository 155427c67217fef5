"""What `inkling doctor` finds: a row each matter, told by the indexer's and the desktop's side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One matter: how it is, and what to do where it is not as it should be."""

    id: str
    title: str
    said: str
    do: str = ""  # empty: nothing needs to be done

    @property
    def fine(self) -> bool:
        return not self.do

    def to_data(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "ok": self.fine}
