"""A ranker that was fitted to what a person judged, in place of the one that comes with Inkling."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from engine.contract.paths import BaseDir
from engine.contract.put import put_in_place
from engine.search.ranker import Ranker


class OwnRanker:
    """One encoder's: in use where it is there. For any thread."""

    def __init__(self, base: BaseDir, model_id: str) -> None:
        self._path = base.models / model_id / "own-ranker.json"
        self._shipped = Ranker.of(model_id)
        self._own = self._read()

    @property
    def shipped(self) -> Ranker:
        """As it comes with Inkling."""
        return self._shipped

    @property
    def own(self) -> Ranker | None:
        """As it was fitted here; None if it was not."""
        return self._own

    def __call__(self) -> Ranker:
        """What answers."""
        return self._own or self._shipped

    def use(self, ranker: Ranker) -> None:
        """Answer with this one from now on. OSError where it can't be kept."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = Path(f"{self._path}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(ranker), indent=1))
        put_in_place(fresh, self._path)
        self._own = ranker

    def use_shipped(self) -> bool:
        """Answer with what comes with Inkling; whether another did."""
        self._path.unlink(missing_ok=True)
        had, self._own = self._own is not None, None
        return had

    def _read(self) -> Ranker | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Ranker)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
