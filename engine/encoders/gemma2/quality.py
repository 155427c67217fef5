"""How near vectors of smaller weights are to the exact ones: measured on a person's own, kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.contract.errors import InklingError
from engine.encoders.inference.low_memory import RunsBatches
from engine.encoders.jina_v4.forward import Row
from engine.models.files import read_object, write_json

log = logging.getLogger(__name__)

Kind = Literal["passages", "pictures", "samples"]

WANTED = 64  # of each kind
#: Cosines to the exact single vectors, on average and at the least, from which on smaller weights
#: serve. bf16 gives 0.9999; bytes of published weights were reported with 0.9999, and with 0.964 on
#: average, where half of the first places were lost.
_MEAN, _LEAST = 0.995, 0.98
_FILE = "quality.json"


@dataclass(frozen=True, slots=True)
class Quality:
    """Cosines of single vectors to the exact ones."""

    count: int
    mean: float
    least: float
    times: float | None = None  # as fast as the exact, where that was measured

    @property
    def serves(self) -> bool:
        slower = self.times is not None and self.times < 1
        return self.mean >= _MEAN and self.least >= _LEAST and not slower


def compare(smaller: RunsBatches, exact: RunsBatches, rows: Sequence[Row]) -> Quality:
    """Both run the same rows."""
    cosines = [
        float(F.cosine_similarity(_mean(smaller, row), _mean(exact, row), dim=0)) for row in rows
    ]
    return Quality(len(rows), sum(cosines) / len(cosines), min(cosines))


def known(folder: Path) -> dict[Kind, Quality]:
    """What was found before, by what it was measured on."""
    found: dict[Kind, Quality] = {}
    kept = read_object(folder / _FILE)
    kinds: tuple[Kind, ...] = ("passages", "pictures", "samples")
    for kind in kinds:
        try:
            one = kept[kind]
            found[kind] = Quality(
                int(one["count"]), float(one["mean"]), float(one["least"]), one.get("times")
            )
        except (KeyError, TypeError, ValueError):
            continue
    return found


def keep(folder: Path, kind: Kind, quality: Quality) -> None:
    """For the next start; what can't be kept is measured again."""
    try:
        write_json(folder / _FILE, {**read_object(folder / _FILE), kind: asdict(quality)})
    except OSError as error:
        log.warning("can't keep the measurement: %s", error)


def said(kind: Kind, quality: Quality, otherwise: str) -> str:
    """For a person; `otherwise` says what there is to do about weights that do not serve."""
    what = {"passages": "your passages", "pictures": "your pictures", "samples": "samples"}[kind]
    nearness = f"cosine {quality.mean:.4f} on {quality.count} of {what}, least {quality.least:.4f}"
    verdict = "near enough to" if quality.serves else "too far from"
    found = f"The model runs with weights of 8 bits: {nearness}: {verdict} the exact ones."
    return found if quality.serves else f"{found} {otherwise}"


class Trial:
    """Holds smaller weights against the exact ones, on the first of a person's own that come."""

    def __init__(
        self,
        folder: Path,
        smaller: RunsBatches,
        exact: Callable[[], RunsBatches],
        notes: list[str],
        otherwise: str,
    ) -> None:
        """`exact` loads the exact weights; they are let go of after each measurement."""
        self._folder, self._smaller, self._exact, self._notes = folder, smaller, exact, notes
        self._otherwise = otherwise
        self._waiting: dict[Kind, list[Row]] = {"passages": [], "pictures": []}
        for kind in known(folder):
            self._waiting.pop(kind, None)

    def saw(self, kind: Kind, rows: Sequence[Row]) -> None:
        """Rows that were encoded; measures as soon as there are enough of a kind."""
        waiting = self._waiting.get(kind)
        if waiting is None:
            return
        waiting += [_light(row) for row in rows[: WANTED - len(waiting)]]
        if len(waiting) < WANTED:
            return
        del self._waiting[kind]
        try:
            quality = compare(self._smaller, self._exact(), waiting)
        except (InklingError, RuntimeError, MemoryError) as error:
            log.warning("the smaller weights can't be measured: %s", error)
            return
        keep(self._folder, kind, quality)
        self._notes.append(said(kind, quality, self._otherwise))


def _light(row: Row) -> Row:
    """The row with its picture at the lowest budget, and without the picture itself."""
    while row.smaller is not None and (smaller := row.smaller()) is not None:
        row = smaller
    return replace(row, smaller=None)


def _mean(forward: RunsBatches, row: Row) -> Tensor:
    with torch.inference_mode():
        return forward.run_batch([row])[0].mean
