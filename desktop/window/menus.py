"""The window's small menus: by what results are sorted, the other places of a file."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import shorten

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from desktop import strings as s
from engine.contract.types import Hit, Location

_MOST_SAID = 90  # characters of a passage


def orders_menu(parent: QWidget, current: str, chosen: Callable[[str], None]) -> QMenu:
    """Every order, the present one ticked."""
    menu = _menu(parent)
    for order, title in s.ORDERS.items():
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(order == current)
        action.triggered.connect(lambda _checked=False, wanted=order: chosen(wanted))
    return menu


def places_menu(parent: QWidget, hit: Hit, chosen: Callable[[Location], None]) -> QMenu:
    """The further places of a file, each with how it reads there."""
    menu = _menu(parent)
    for place in hit.more:
        said = shorten(" ".join(place.snippet.split()), _MOST_SAID, placeholder="…")
        words = " — ".join(filter(None, (s.place(place.location), said)))
        menu.addAction(words.replace("&", "&&")).triggered.connect(
            lambda _checked=False, location=place.location: chosen(location)
        )
    return menu


def below_right(menu: QMenu, button: QWidget) -> None:
    """Open it below a button at the right edge, for once."""
    menu.aboutToHide.connect(menu.deleteLater)
    at = button.mapToGlobal(button.rect().bottomRight())
    menu.popup(QPoint(at.x() - menu.sizeHint().width(), at.y() + 4))


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu
