"""What a way to an encoder has, of whatever kind it is. The libraries of each are loaded where one
is gone."""

from __future__ import annotations

from typing import Any, Protocol

from engine.encoders.elsewhere import AwayError, Job, Made
from engine.models.registry import ModelSpec


class Way(Protocol):
    """To an encoder of a kind."""

    def encode(self, job: Job, spec: ModelSpec) -> Made:
        """What was made there, checked; AwayError."""

    def about(self) -> dict[str, Any]:
        """What is served there; AwayError."""

    def close(self) -> None:
        """Let go of its connections."""


class LaterError(AwayError):
    """It asks to be asked again after a while."""

    def __init__(self, message: str, *, after_s: float, **more: Any) -> None:
        super().__init__(message, **more)
        self.after_s = after_s
