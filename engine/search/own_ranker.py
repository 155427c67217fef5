"""A ranker that was fitted to what a person judged, in place of the one that comes with Inkling."""

from __future__ import annotations

import logging

import msgspec

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.put import put_privately
from engine.search.ranker import Ranker

log = logging.getLogger(__name__)


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
        """Answer with this one from now on. InklingError where it can't be kept."""
        data = msgspec.json.format(msgspec.json.encode(ranker), indent=1)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            put_privately(data, self._path)
        except OSError as error:
            raise InklingError(
                "The ranker can't be kept: {error}.",
                hint="Free some space or fix the permissions of {path}.",
                path=str(self._path),
                told={"error": error.strerror or error, "path": self._path},
            ) from error
        self._own = ranker

    def use_shipped(self) -> bool:
        """Answer with what comes with Inkling; whether another did."""
        self._path.unlink(missing_ok=True)
        had, self._own = self._own is not None, None
        return had

    def _read(self) -> Ranker | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Ranker)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            log.warning("the ranker fitted here can't be read, the shipped one answers: %s", error)
            return None
