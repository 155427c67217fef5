"""How the parts of the window lie: search and chips above, list and preview, status below."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QSplitter, QVBoxLayout, QWidget


def side_by_side(left: QWidget, right: QWidget, parent: QWidget) -> QSplitter:
    """List and preview, the preview a little wider; neither can be pushed away."""
    splitter = QSplitter(Qt.Orientation.Horizontal, parent)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    splitter.addWidget(left)
    splitter.addWidget(right)
    splitter.setStretchFactor(0, 5)
    splitter.setStretchFactor(1, 6)
    return splitter


def main_page(
    search: QWidget, chips: QWidget, middle: QWidget, status: QWidget, parent: QWidget
) -> QWidget:
    """The page on which one searches, from top to bottom."""
    page = QWidget(parent)
    column = _column(page)
    column.addWidget(search)
    column.addWidget(chips)
    column.addWidget(_hairline(page))
    column.addWidget(middle, 1)
    column.addWidget(_hairline(page))
    column.addWidget(status)
    return page


def set_tab_order(*widgets: QWidget) -> None:
    """Tab goes as one reads: from the search line through list and preview to the status line."""
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return column


def _hairline(parent: QWidget) -> QFrame:
    line = QFrame(parent)
    line.setFixedHeight(1)
    line.setAutoFillBackground(True)
    line.setBackgroundRole(line.palette().ColorRole.Mid)
    return line
