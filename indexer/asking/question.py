"""What is asked of a language model."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contract.asking import Turn
from engine.contract.types import Query


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it came."""

    query: Query
    text: str
    turns: tuple[Turn, ...] = ()
    model: str = ""  # another than that of the settings
    server: str = ""
