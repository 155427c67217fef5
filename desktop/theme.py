"""Light and dark: one palette and one set of measures from which everything is painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPainter, QPalette, QPen
from PySide6.QtWidgets import QApplication

import resources
from desktop import icons

GRID = 8  # every distance is a multiple or half of it, in device-independent pixels
HALF = GRID // 2
MARGIN = 2 * GRID
RADIUS = GRID
Choice = Literal["system", "light", "dark"]
_DEFAULT_ACCENT = QColor("#3d6fe0")


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one scheme, by what they are for."""

    dark: bool
    strong: bool  # high contrast: what is chosen is outlined, too
    window: QColor  # the one surface everything lies on
    raised: QColor  # fields, chips, cards
    hover: QColor
    line: QColor  # hairlines between areas
    edge: QColor  # outlines of controls, scroll handles; 3:1 on window and raised
    text: QColor
    muted: QColor  # secondary text; 4.5:1 on window
    faded: QColor  # icons of what can't be used now
    accent: QColor
    focus: QColor  # the ring around what has the keys
    link: QColor  # words that do something: the accent as far as it can be read; 4.5:1
    on_accent: QColor
    selected: QColor  # background of the chosen row
    mark: QColor  # behind matched words and lines
    box: QColor  # around matched regions
    warn: QColor
    bad: QColor
    good: QColor


def colours(dark: bool, accent: QColor, strong: bool = False) -> Colours:
    """The scheme for light or dark with the person's accent; `strong` for high contrast."""
    accent = _readable(accent, dark)
    if dark:
        names = ("#1d1e21", "#292a2e", "#303237", "#3d4047", "#7c818b", "#f1f2f4", "#a9adb6")
        marks = ("#6b5a14", "#ffb938", "#f0b450", "#ff8178", "#62c28a")
    else:
        names = ("#fcfcfd", "#f1f2f4", "#e9eaee", "#dcdfe5", "#868b95", "#1b1d21", "#5b606b")
        marks = ("#ffeaa0", "#e58a00", "#865400", "#c2352b", "#1e7a45")
    if strong:
        names = (*names[:3], names[5], names[5], names[5], names[5])
    window, raised, hover, line, edge, text, muted = map(QColor, names)
    mark, box, warn, bad, good = map(QColor, marks)
    selected = _behind(accent, window, muted, 0.24 if dark else 0.13, 7.5 if strong else 5.1)
    if strong:
        warn, bad, good = (_for_words(one, (window, raised), 7) for one in (warn, bad, good))
    surfaces = (window, raised, over(selected, window))
    link = _for_words(accent, surfaces, 7 if strong else 4.5)
    focus = text if strong else accent
    faded = over(_see_through(text, 0.5), window) if strong else line
    on_accent = QColor("#ffffff" if luminance(accent) < 0.2 else "#101114")
    return Colours(
        dark, strong, window, raised, hover, line, edge, text, muted, faded, accent, focus, link,
        on_accent, selected, mark, box, warn, bad, good,
    )  # fmt: skip


def _readable(accent: QColor, dark: bool) -> QColor:
    """The accent with a lightness that stands out from the scheme's window (3:1, as WCAG asks)."""
    hue, saturation = accent.hslHueF(), accent.hslSaturationF()
    low, high = (0.64, 0.80) if dark else (0.28, 0.50)
    lightness = min(max(accent.lightnessF(), low), high)
    while True:
        made = QColor.fromHslF(max(hue, 0.0), saturation, lightness)
        # Yellow is bright at a lightness at which blue is dark.
        if dark or luminance(made) < 0.25 or lightness < 0.05:
            return made
        lightness -= 0.02


def _behind(accent: QColor, window: QColor, text: QColor, alpha: float, least: float) -> QColor:
    """As much of the accent as still lets secondary text on it be read."""
    made = QColor(accent)
    made.setAlphaF(alpha)
    while contrast(text, over(made, window)) < least and made.alphaF() > 0.08:
        made.setAlphaF(made.alphaF() - 0.01)
    return made


def _for_words(accent: QColor, surfaces: Sequence[QColor], least: float) -> QColor:
    """The accent, darker or lighter until it can be read on all of these."""
    lightness, made = accent.lightnessF(), accent
    step = -0.01 if luminance(surfaces[0]) > 0.5 else 0.01
    while min(contrast(made, surface) for surface in surfaces) < least and 0 < lightness < 1:
        lightness = min(max(lightness + step, 0.0), 1.0)
        made = QColor.fromHslF(max(accent.hslHueF(), 0.0), accent.hslSaturationF(), lightness)
    return made


def over(front: QColor, back: QColor) -> QColor:
    """What a see-through colour looks like on another."""
    share = front.alphaF()
    red, green, blue = (
        share * a + (1 - share) * b
        for a, b in (
            (front.redF(), back.redF()),
            (front.greenF(), back.greenF()),
            (front.blueF(), back.blueF()),
        )
    )
    return QColor.fromRgbF(red, green, blue)


def _see_through(colour: QColor, share: float) -> QColor:
    made = QColor(colour)
    made.setAlphaF(share)
    return made


def contrast(a: QColor, b: QColor) -> float:
    """The ratio of two colours' luminances as WCAG defines it: 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: QColor) -> float:
    """Relative luminance as WCAG defines it: 0 black, 1 white."""
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def palette(c: Colours) -> QPalette:
    """The scheme as a QPalette, so that every widget and the delegate follow it."""
    p = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, c.window),
        (role.WindowText, c.text),
        (role.Base, c.window),
        (role.AlternateBase, c.raised),
        (role.Text, c.text),
        (role.PlaceholderText, c.muted),
        (role.Button, c.raised),
        (role.ButtonText, c.text),
        (role.BrightText, c.bad),
        (role.Highlight, c.accent),
        (role.HighlightedText, c.on_accent),
        (role.Accent, c.accent),
        (role.Link, c.link),
        (role.LinkVisited, c.link),
        (role.ToolTipBase, c.raised),
        (role.ToolTipText, c.text),
        (role.Light, c.hover),
        (role.Midlight, c.hover),
        (role.Mid, c.line),
        (role.Dark, c.muted),
        (role.Shadow, c.line),
    ):
        p.setColor(which, colour)
    for which in (role.Text, role.WindowText, role.ButtonText):
        faded = _see_through(c.text, 0.65 if c.strong else 0.4)
        p.setColor(QPalette.ColorGroup.Disabled, which, faded)
    return p


def of(p: QPalette) -> Colours:
    """The scheme a palette was made from: painters need no other source of colour."""
    # Not the window's own colour: a style sheet makes that transparent for some views.
    text = p.color(QPalette.ColorRole.WindowText)
    strong = p.color(QPalette.ColorRole.Dark) == text
    return _cached(text.lightness() > 128, p.color(QPalette.ColorRole.Accent).rgba(), strong)


@cache
def _cached(dark: bool, accent: int, strong: bool) -> Colours:
    return colours(dark, QColor.fromRgba(accent), strong)


def apply(app: QApplication, choice: str) -> None:
    """Put light, dark or the desktop's own choice on the whole application."""
    hints = app.styleHints()
    wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(choice)
    if wanted is None:
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(wanted)
    dark = (wanted or hints.colorScheme()) == Qt.ColorScheme.Dark
    scheme = colours(dark, _system_accent(app), _wants_contrast(app))
    app.setPalette(palette(scheme))
    app.setStyleSheet(stylesheet(scheme))


def _system_accent(app: QApplication) -> QColor:
    """The desktop's accent where it has one; Fusion's built-in blue is nobody's choice."""
    kept = app.property("system_accent")
    if not isinstance(kept, QColor):
        standard = app.style().standardPalette().color(QPalette.ColorRole.Accent)
        kept = app.palette().color(QPalette.ColorRole.Accent)
        kept = _DEFAULT_ACCENT if kept == standard or kept.hslSaturationF() < 0.1 else kept
        app.setProperty("system_accent", kept)
    return kept


def _wants_contrast(app: QApplication) -> bool:
    accessibility = getattr(app.styleHints(), "accessibility", None)  # Qt 6.10
    if accessibility is None:
        return False
    return bool(accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast)


@cache
def _template() -> Template:
    path = Path(resources.__file__).parent / "themes" / "inkling.qss"
    return Template(path.read_text(encoding="utf-8"))


def stylesheet(c: Colours) -> str:
    """The look of standard controls: resources/themes/inkling.qss with the scheme's colours."""
    names = (
        "window", "raised", "hover", "line", "edge", "text", "muted", "accent", "focus", "link",
        "on_accent", "bad",
    )  # fmt: skip
    if c.strong:  # colours alone would not tell them from the others
        chosen, disabled = c.text, c.faded
    else:
        chosen, disabled = c.hover, c.muted
    states = {"chosen": chosen.name(), "disabled": disabled.name()}
    places = states | {"icons": icons.FOLDER.as_posix(), "scheme": "dark" if c.dark else "light"}
    return _template().substitute({name: getattr(c, name).name() for name in names} | places)


def paint_chosen(
    painter: QPainter, row: QRectF, c: Colours, *, chosen: bool, focus: bool = False
) -> None:
    """What lies behind a row: chosen or under the pointer, and the ring where the keys are."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(c.selected if chosen else c.raised)
    painter.drawRoundedRect(row, RADIUS, RADIUS)
    if focus or (chosen and c.strong):
        wide = (2.5 if c.strong else 1.5) if focus else 1.0
        painter.setPen(QPen(c.focus, wide))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inside = row.adjusted(wide / 2, wide / 2, -wide / 2, -wide / 2)
        painter.drawRoundedRect(inside, RADIUS, RADIUS)


def font(base: QFont, points: float = 0, *, bold: bool = False) -> QFont:
    """The system's font, a little larger or smaller, perhaps semi-bold."""
    changed = QFont(base)
    if base.pointSizeF() > 0:
        changed.setPointSizeF(base.pointSizeF() + points)
    else:
        changed.setPixelSize(round(base.pixelSize() + points * 4 / 3))
    if bold:
        changed.setWeight(QFont.Weight.DemiBold)
    return changed


def fixed_font() -> QFont:
    """The system's font for code."""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
