"""Icons are drawn when they are shown: sharp on every screen, in the colour of their state."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from desktop import icons


def colours(image: QImage) -> set[str]:
    """Of the pixels that are all there."""
    points = ((x, y) for x in range(image.width()) for y in range(image.height()))
    shown = (image.pixelColor(x, y) for x, y in points)
    return {colour.name() for colour in shown if colour.alpha() == 255}


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0, 3.0])
def test_it_has_the_pixels_of_the_screen(qtbot: QtBot, ratio: float) -> None:
    made = icons.icon("folder", QColor("#123456")).pixmap(QSize(18, 18), ratio)
    assert made.width() == made.height() == 18 * ratio
    assert made.devicePixelRatio() == ratio


def test_it_has_the_colour_of_its_state(qtbot: QtBot) -> None:
    icon = icons.icon("stop", QColor("#123456"), QColor("#fedcba"))
    sizes = QSize(64, 64)
    assert colours(icon.pixmap(sizes, 1.0).toImage()) == {"#123456"}
    off = icon.pixmap(sizes, 1.0, QIcon.Mode.Disabled).toImage()
    assert colours(off) == {"#fedcba"}


def test_a_button_keeps_what_draws_it(qtbot: QtBot) -> None:
    button = QToolButton()
    qtbot.addWidget(button)
    button.setIconSize(QSize(48, 48))
    button.setIcon(icons.icon("stop", QColor("#123456")))
    gc.collect()
    assert "#123456" in colours(button.grab().toImage())
