"""What a picture is: screenshot, diagram, photo or scan, told by cheap statistics.

Thresholds from 166 documentation pictures, 18 scanned pages and 17 photos, which also judged them:
screenshots 112 of 119, diagrams and charts 23 of 47 (the others pass for screenshots), scans 17 of
18. Charts shown in a program's window are both, and the kind of a doubtful picture is screenshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.contract.types import Box, PictureClass

SAMPLE = 640  # pixels of each side of the cut that is looked at
EDGE, COLOURED = 24, 48  # levels between neighbours, and between channels
_SHADED = 0.005  # colours per pixel from which a thing on plain ground is no drawing
RUN = 24  # pixels an edge goes straight on to count as drawn


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is measured of a picture; shares are of its pixels unless said."""

    flat: float  # equal to the right and the lower neighbour
    colours: float  # distinct colours (5 bits a channel) per pixel
    paper: float  # share of the commonest colour
    paper_light: float  # 0 black … 1 white, of that colour
    saturated: float  # clearly coloured
    straight: float  # share of edge pixels in axis-parallel runs
    noise: float  # differing a little from the right neighbour
    text: float  # covered by lines of text
    lines: int


def classify(image: Image.Image, *, camera: bool, lines: Sequence[Box] | None) -> PictureClass:
    """The class of an RGB picture; `camera` says that EXIF names one, `lines` are its text's, None
    where nobody looked for any."""
    s = statistics(image, lines or ())
    paper_like = s.saturated < 0.05 and s.paper_light > 0.75 and s.straight < 0.03
    if s.text > 0.25 and paper_like:
        return "scan"
    if camera or (s.noise > 0.12 and s.flat < 0.5) or (s.lines == 0 and s.flat < 0.6):
        return "photo"
    drawn = s.saturated > 0.02 and s.colours < 0.002 and s.paper > 0.7 and s.paper_light > 0.9
    if drawn and s.text < 0.15 and s.lines <= 25:
        return "diagram"
    if lines is not None and not lines:  # a screenshot without any text is rare
        return "photo" if s.colours >= _SHADED else "diagram"
    return "screenshot"


def statistics(image: Image.Image, lines: Sequence[Box]) -> Statistics:
    """Statistics of an RGB picture with the boxes of its text lines."""
    rgb = np.asarray(_cut(image)).astype(np.int16)
    packed = (rgb[..., 0] >> 3 << 10) | (rgb[..., 1] >> 3 << 5) | rgb[..., 2] >> 3
    counts = np.bincount(packed.ravel(), minlength=1 << 15)
    common = int(counts.argmax())
    right = np.abs(np.diff(rgb, axis=1)).max(axis=2)[:-1]
    down = np.abs(np.diff(rgb, axis=0)).max(axis=2)[:, :-1]
    steps = max(1, right.size)
    return Statistics(
        flat=float(((right == 0) & (down == 0)).sum() / steps),
        colours=float((counts > 0).sum() / packed.size),
        paper=float(counts.max() / packed.size),
        paper_light=((common >> 10) + (common >> 5 & 31) + (common & 31)) / 93,
        saturated=float((np.ptp(rgb, axis=2) > COLOURED).mean()),
        straight=_straight(right > EDGE, down > EDGE),
        noise=float(((right > 0) & (right < 16)).sum() / steps),
        text=sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in lines),
        lines=len(lines),
    )


def _cut(image: Image.Image) -> Image.Image:
    """The middle at full resolution; shrinking would blur the flatness that tells drawings."""
    width, height = image.size
    x, y = max(0, (width - SAMPLE) // 2), max(0, (height - SAMPLE) // 2)
    return image.crop((x, y, min(width, x + SAMPLE), min(height, y + SAMPLE)))


def _straight(vertical: NDArray[np.bool_], horizontal: NDArray[np.bool_]) -> float:
    """Share of edge pixels that stand in a run along their edge: windows, tables, axes."""
    total = int(vertical.sum()) + int(horizontal.sum())
    return (_in_runs(vertical) + _in_runs(horizontal.T)) / total if total else 0.0


def _in_runs(edges: NDArray[np.bool_]) -> int:
    """Pixels of the columns' runs of at least RUN."""
    if not edges.size:
        return 0
    padded = np.pad(edges, ((1, 1), (0, 0))).astype(np.int8)
    steps = np.diff(padded, axis=0).T
    runs = np.nonzero(steps == -1)[1] - np.nonzero(steps == 1)[1]
    return int(runs[runs >= RUN].sum())
