"""How the programs of the screenshots look: palettes, one style sheet, small helpers."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

LIGHT = {
    "window": "#f6f5f4",
    "base": "#ffffff",
    "text": "#2e3436",
    "dim": "#77767b",
    "line": "#deddda",
    "accent": "#2d6fb8",
    "button": "#ebe9e7",
}
DARK = {
    "window": "#242428",
    "base": "#1b1b1e",
    "text": "#eeeeec",
    "dim": "#9a9996",
    "line": "#3a3a40",
    "accent": "#5b9bd5",
    "button": "#36363c",
}
SHEET = """
* {{ color: {text}; }}
QWidget {{ background: {window}; }}
QLabel, QCheckBox {{ background: transparent; }}
QLineEdit, QComboBox, QTextEdit, QPlainTextEdit, QListWidget, QTreeWidget {{
  background: {base}; border: 1px solid {line}; border-radius: 5px; padding: 4px; }}
QPushButton {{ background: {button}; border: 1px solid {line}; border-radius: 5px;
  padding: 6px 16px; }}
QPushButton[main="true"] {{ background: {accent}; color: white; border-color: {accent}; }}
QFrame[card="true"] {{ background: {base}; border: 1px solid {line}; border-radius: 8px; }}
QProgressBar {{ border: none; background: {line}; border-radius: 4px; height: 8px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 4px; }}
QHeaderView::section {{ background: {window}; border: none; border-bottom: 1px solid {line};
  padding: 4px; color: {dim}; }}
QListWidget::item:selected {{ background: {accent}; color: white; }}
"""


def dress(app: QApplication, colours: dict[str, str]) -> None:
    """Give the whole program one palette, style sheet and font."""
    app.setStyle("Fusion")
    palette = QPalette()
    for role, name in (
        (QPalette.ColorRole.Window, "window"),
        (QPalette.ColorRole.Base, "base"),
        (QPalette.ColorRole.Text, "text"),
        (QPalette.ColorRole.WindowText, "text"),
        (QPalette.ColorRole.Button, "button"),
        (QPalette.ColorRole.Highlight, "accent"),
    ):
        palette.setColor(role, QColor(colours[name]))
    app.setPalette(palette)
    app.setFont(QFont("Inter", 10))
    app.setStyleSheet(SHEET.format(**colours))


def label(
    text: str, size: int = 10, bold: bool = False, colour: str = "", wrap: bool = True
) -> QLabel:
    """A line or paragraph of text."""
    made = QLabel(text)
    made.setWordWrap(wrap)
    made.setFont(QFont("Inter", size, QFont.Weight.DemiBold if bold else QFont.Weight.Normal))
    if colour:
        made.setStyleSheet(f"color: {colour};")
    return made


def column(*parts: QWidget | QHBoxLayout | QVBoxLayout | int, gap: int = 8, edge: int = 0):
    """Parts below one another; a number is empty space, 0 takes all that is left."""
    return _fill(QVBoxLayout(), parts, gap, edge)


def row(*parts: QWidget | QHBoxLayout | QVBoxLayout | int, gap: int = 8, edge: int = 0):
    """Parts beside one another; a number is empty space, 0 takes all that is left."""
    return _fill(QHBoxLayout(), parts, gap, edge)


def _fill(layout, parts, gap: int, edge: int):
    layout.setSpacing(gap)
    layout.setContentsMargins(edge, edge, edge, edge)
    for part in parts:
        if isinstance(part, int):
            layout.addStretch(1) if part == 0 else layout.addSpacing(part)
        elif isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    return layout


def panel(layout, card: bool = False, width: int = 0, style: str = "") -> QFrame:
    """A frame around a layout."""
    frame = QFrame()
    frame.setLayout(layout)
    if card:
        frame.setProperty("card", True)
    if width:
        frame.setFixedWidth(width)
    if style:
        frame.setStyleSheet(style)
    return frame


def disc(text: str, colour: str, size: int = 36) -> QLabel:
    """A round coloured mark with a letter, as contact lists have."""
    made = QLabel(text)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setFixedSize(size, size)
    made.setStyleSheet(
        f"background: {colour}; color: white; border-radius: {size // 2}px;"
        f"font-weight: 600; font-size: {size // 2}px;"
    )
    return made
