"""Regions that matched share an outline where their frames would cross."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from desktop.presentation.outlines import outline


def test_lines_of_a_sentence_have_one_outline_and_words_apart_their_own() -> None:
    lines = [QRectF(0, 0, 100, 10), QRectF(0, 12, 60, 10)]
    assert len(outline(lines, 3, 4).toSubpathPolygons()) == 1
    assert len(outline([*lines, QRectF(150, 0, 30, 10)], 3, 4).toSubpathPolygons()) == 2
    assert len(outline(lines, 0.5, 1).toSubpathPolygons()) == 2
    assert outline([], 3, 4).isEmpty()
