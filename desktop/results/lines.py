"""Lines of text with marks, laid out for painting: a passage as prose or as code."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QTextCharFormat, QTextLayout, QTextOption

from desktop.presentation import highlight, kinds
from desktop.presentation.matches import marks, tints
from desktop.presentation.passage import Excerpt, code, prose
from desktop.presentation.positions import Positions
from desktop.theme import Colours
from engine.contract.types import Hit

#: How much of the mark's colour lies behind a sentence.
_BREATH = 0.45
#: A layout and how far below the first one it is drawn.
Lines = list[tuple[QTextLayout, float]]


def lay_out(hit: Hit, width: float, most: int, body: QFont, fixed: QFont, c: Colours) -> Lines:
    """At most `most` lines of the passage: code line by line in its colours, prose wrapped."""
    found, meant = marks(hit), tints(hit)
    if kinds.of(hit).code:
        return _code(code(hit.snippet, found, most, meant), hit.path, width, fixed, c)
    room = int(most * width / max(QFontMetricsF(body).averageCharWidth(), 1))
    return [(_wrapped(prose(hit.snippet, found, room, meant), width, most, body, c), 0.0)]


def _wrapped(excerpt: Excerpt, width: float, most: int, font: QFont, c: Colours) -> QTextLayout:
    """A few lines of prose; the last ends in … where there is more."""
    text = excerpt.text
    at = Positions(text)
    probe = QTextLayout(text, font)
    _break(probe, width, most)
    if probe.lineCount() == most:
        last = probe.lineAt(most - 1)
        start = at.index(last.textStart())
        if last.textStart() + last.textLength() < at(len(text)):
            rest = QFontMetricsF(font).elidedText(text[start:], Qt.TextElideMode.ElideRight, width)
            text = text[:start] + rest
    layout = QTextLayout(text, font)
    layout.setFormats(
        [
            _range(at(start), at(min(end, len(text))) - at(start), c.text, behind)
            for start, end, behind in _backgrounds(excerpt, c)
            if start < len(text)
        ]
    )
    _break(layout, width, most)
    return layout


def _backgrounds(excerpt: Excerpt, c: Colours) -> Iterator[tuple[int, int, QColor]]:
    """What lies behind which part: a breath of the mark's colour behind a sentence, the mark itself
    behind words, also those in it."""
    breath = QColor(c.mark)
    breath.setAlphaF(_BREATH)
    for start, end in excerpt.tints:
        for low, high in excerpt.marks:
            if start < high and low < end:
                if start < low:
                    yield start, low, breath
                start = min(high, end)
        if start < end:
            yield start, end, breath
    for start, end in excerpt.marks:
        yield start, end, c.mark


def _break(layout: QTextLayout, width: float, lines: int) -> None:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    y = 0.0
    for _ in range(lines):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height()
    layout.endLayout()


def _range(
    start: int, length: int, colour: QColor | None = None, background: QColor | None = None
) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length = start, length
    style = QTextCharFormat()
    if colour is not None:
        style.setForeground(colour)
    if background is not None:
        style.setBackground(background)
    made.format = style
    return made


def _code(excerpt: Excerpt, path: str, width: float, font: QFont, c: Colours) -> Lines:
    """Each line by itself, cut at the right edge."""
    metrics = QFontMetricsF(font)
    laid, offset, position = Lines(), 0.0, 0
    coloured, at = highlight.runs(excerpt.text, path), Positions(excerpt.text)
    for line in excerpt.text.split("\n"):
        shown = metrics.elidedText(line.expandtabs(4), Qt.TextElideMode.ElideRight, width)
        layout = QTextLayout(shown, font)
        formats, wide = [], Positions(shown)(len(shown))
        for run in coloured:
            low = max(run.start - at(position), 0)
            high = min(run.start + run.length - at(position), wide)
            if low < high:
                formats.append(_range(low, high - low, highlight.colour(run.role, c.dark)))
        for start, end, behind in _backgrounds(excerpt, c):
            low, high = max(at(start) - at(position), 0), min(at(end) - at(position), wide)
            if low < high:  # in the text's own colour: those of code are made for the window's
                formats.append(_range(low, high - low, c.text, behind))
        layout.setFormats(formats)
        _break(layout, width * 2, 1)
        laid.append((layout, offset))
        offset += metrics.height() + 1
        position += len(line) + 1
    return laid
