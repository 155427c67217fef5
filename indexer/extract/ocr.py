"""Optical character recognition: the text of a picture with the place of every word."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.types import Box, WordBox


@dataclass(frozen=True, slots=True)
class Line:
    """One recognised line; the box is in fractions of the picture."""

    text: str
    box: Box
    score: float


_lock = threading.Lock()
_engine: Any = None


def read(pixels: NDArray[np.uint8]) -> list[Line]:
    """The lines of a picture [h, w, 3] (uint8, RGB) in reading order."""
    global _engine
    with _lock:
        if _engine is None:
            from rapidocr import RapidOCR

            _engine = RapidOCR(params={"Global.log_level": "critical", "Global.use_cls": False})
        result = _engine(np.ascontiguousarray(pixels[:, :, ::-1]))
    if result.boxes is None:
        return []
    height, width = pixels.shape[:2]
    lines = []
    for text, quad, score in zip(result.txts, result.boxes, result.scores, strict=True):
        xs, ys = quad[:, 0] / width, quad[:, 1] / height
        box = (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
        lines.append(Line(text, box, float(score)))
    return in_reading_order(lines)


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """Rows top to bottom, each row left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.box[1] + line.box[3]) / 2):
        middle = (line.box[1] + line.box[3]) / 2
        if rows and middle < rows[-1][0].box[3] and _overlap(rows[-1][0], line) > 0.5:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.box[0])]


def _overlap(a: Line, b: Line) -> float:
    shared = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    return shared / max(1e-9, min(a.box[3] - a.box[1], b.box[3] - b.box[1]))


def as_text(lines: Sequence[Line], start: int = 0) -> tuple[str, list[WordBox]]:
    """The lines joined by newlines, and a box for each word; offsets begin at `start`."""
    words: list[WordBox] = []
    for line in lines:
        x0, y0, x1, y1 = line.box
        step = (x1 - x0) / max(1, len(line.text))
        for match in re.finditer(r"\S+", line.text):
            box = (x0 + match.start() * step, y0, x0 + match.end() * step, y1)
            words.append(WordBox(start + match.start(), start + match.end(), box))
        start += len(line.text) + 1
    return "\n".join(line.text for line in lines), words
