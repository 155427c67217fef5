"""Draws the diagrams and charts a person exports from a drawing program."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF, QRectF, Qt  # noqa: E402
from PySide6.QtGui import (  # noqa: E402
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QPainter,
    QPen,
    QPolygonF,
)

INK = "#22313f"
CENTRE = Qt.AlignmentFlag.AlignCenter


class Sheet:
    """A white sheet to draw boxes, arrows and words on; coordinates are pixels."""

    def __init__(self, width: int, height: int, title: str = "", background: str = "white") -> None:
        self.image = QImage(width, height, QImage.Format.Format_RGB32)
        self.image.fill(QColor(background))
        self.paint = QPainter(self.image)
        self.paint.setRenderHint(QPainter.RenderHint.Antialiasing)
        if title:
            self.words(QRectF(0, 12, width, 40), title, 17, bold=True)

    def words(self, box: QRectF, text: str, size: int = 11, bold: bool = False, colour: str = INK):
        """Text in the middle of a box."""
        self.paint.setFont(
            QFont("Inter", size, QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        )
        self.paint.setPen(QColor(colour))
        self.paint.drawText(box, int(CENTRE) | int(Qt.TextFlag.TextWordWrap), text)

    def box(self, x: float, y: float, w: float, h: float, text: str, fill: str, shape: str = "box"):
        """A labelled shape: box, round, diamond or cylinder."""
        area = QRectF(x, y, w, h)
        self.paint.setPen(QPen(QColor(INK), 1.6))
        self.paint.setBrush(QColor(fill))
        if shape == "round":
            self.paint.drawRoundedRect(area, h / 2, h / 2)
        elif shape == "diamond":
            middle = area.center()
            corners = [
                QPointF(middle.x(), area.top()),
                QPointF(area.right(), middle.y()),
                QPointF(middle.x(), area.bottom()),
                QPointF(area.left(), middle.y()),
            ]
            self.paint.drawPolygon(QPolygonF(corners))
        elif shape == "cylinder":
            self.paint.drawRect(area)
            self.paint.drawEllipse(QRectF(x, y + h - 10, w, 20))
            self.paint.fillRect(area.adjusted(1, 0, -1, -1), QColor(fill))
            self.paint.setBrush(QColor(fill).lighter(108))
            self.paint.drawEllipse(QRectF(x, y - 10, w, 20))
        else:
            self.paint.drawRoundedRect(area, 6, 6)
        self.words(area.adjusted(6, 4, -6, -4), text)

    def queue(self, x: float, y: float, w: float, h: float, text: str, fill: str) -> None:
        """A message queue: a row of slots with its name below."""
        self.paint.setPen(QPen(QColor(INK), 1.6))
        for n in range(6):
            self.paint.setBrush(QColor(fill) if n > 1 else QColor("white"))
            self.paint.drawRect(QRectF(x + n * w / 6, y, w / 6, h))
        self.words(QRectF(x - 40, y + h + 2, w + 80, 24), text, 10)

    def arrow(self, *points: tuple[float, float], text: str = "", dashed: bool = False) -> None:
        """A line through the points with a head at the end and words at its middle."""
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        self.paint.setPen(QPen(QColor(INK), 1.6, style))
        self.paint.setBrush(Qt.BrushStyle.NoBrush)
        spots = [QPointF(*point) for point in points]
        self.paint.drawPolyline(QPolygonF(spots))
        end, before = spots[-1], spots[-2]
        along = end - before
        length = (along.x() ** 2 + along.y() ** 2) ** 0.5 or 1.0
        unit = along / length
        side = QPointF(-unit.y(), unit.x())
        head = [end, end - unit * 11 + side * 5, end - unit * 11 - side * 5]
        self.paint.setBrush(QColor(INK))
        self.paint.setPen(QPen(QColor(INK), 1))
        self.paint.drawPolygon(QPolygonF(head))
        if text:
            half = len(spots) // 2
            middle = (spots[half - 1] + spots[half]) / 2
            upright = spots[half - 1].x() == spots[half].x()
            area = QRectF(middle.x() - 70, middle.y() - 22, 140, 20)
            if upright:  # beside the line, not on it
                width = QFontMetricsF(QFont("Inter", 9)).horizontalAdvance(text) + 16
                area = QRectF(middle.x() + 2, middle.y() - 10, width, 20)
            self.words(area, text, 9, colour="#51606e")

    def save(self, path: Path) -> None:
        """Write the sheet."""
        self.paint.end()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self.image.save(str(path)):
            raise OSError(f"could not write {path}")


def two_queues(path: Path) -> None:
    """How uploads become previews: a main queue and one for second attempts."""
    s = Sheet(1180, 560, "Preview pipeline")
    s.box(30, 200, 130, 70, "Phone and web clients", "#dbe9f6")
    s.box(220, 200, 140, 70, "Upload API", "#cfe8cf")
    s.queue(430, 215, 150, 40, "ingest queue (max. 10,000)", "#ffd98a")
    s.box(650, 120, 150, 56, "Preview worker 1", "#cfe8cf")
    s.box(650, 206, 150, 56, "Preview worker 2", "#cfe8cf")
    s.box(650, 292, 150, 56, "Preview worker n", "#cfe8cf")
    s.box(930, 190, 150, 90, "Object store", "#e3d7f0", "cylinder")
    s.queue(650, 440, 150, 40, "delayed queue: 1 min, 10 min, 1 h", "#f7b7a3")
    s.box(930, 425, 160, 70, "Dead letters (after five tries)", "#f2c6c6")
    s.arrow((160, 235), (220, 235), text="PUT")
    s.arrow((360, 235), (430, 235))
    for y in (148, 234, 320):
        s.arrow((580, 235), (650, y))
        s.arrow((800, y), (930, 235))
    s.arrow((725, 348), (725, 440), text="failed")
    s.arrow((650, 460), (505, 460), (505, 285), text="again")
    s.arrow((800, 460), (930, 460))
    s.save(path)


def door_states(path: Path) -> None:
    """The states of an electronic door lock."""
    s = Sheet(980, 560, background="#fdfcf7")
    s.paint.setBrush(QColor(INK))
    s.paint.drawEllipse(QRectF(38, 118, 20, 20))
    s.box(130, 95, 160, 66, "LOCKED", "#f6d5c4", "round")
    s.box(440, 95, 180, 66, "UNLOCKED\n(motor open)", "#d2ebd0", "round")
    s.box(760, 95, 160, 66, "OPEN", "#d2ebd0", "round")
    s.box(130, 370, 160, 66, "ALARM", "#f3a6a0", "round")
    s.box(440, 370, 180, 66, "JAMMED", "#f7e3a4", "round")
    s.arrow((58, 128), (130, 128))
    s.arrow((290, 116), (440, 116), text="valid badge")
    s.arrow((440, 144), (290, 144))
    s.words(QRectF(300, 150, 130, 20), "5 s without push", 9, colour="#51606e")
    s.arrow((620, 116), (760, 116), text="door pushed")
    s.arrow((760, 144), (620, 144))
    s.words(QRectF(630, 150, 130, 20), "door falls shut", 9, colour="#51606e")
    s.arrow((180, 161), (180, 370))
    s.words(QRectF(96, 270, 80, 20), "forced open", 9, colour="#51606e")
    s.arrow((240, 370), (240, 161))
    s.words(QRectF(246, 270, 100, 20), "guard resets", 9, colour="#51606e")
    s.arrow((530, 161), (530, 370))
    s.words(QRectF(540, 240, 150, 40), "motor current above 2 A", 9, colour="#51606e")
    s.arrow((440, 403), (290, 403), text="30 s, no help")
    s.save(path)


def escalation(path: Path) -> None:
    """A flow chart: who is called when something breaks at night."""
    s = Sheet(900, 980, "Who gets up at night?")
    s.box(340, 70, 220, 54, "Alarm rings", "#dbe9f6", "round")
    s.box(310, 165, 280, 110, "Can customers still pay?", "#fff1c9", "diamond")
    s.box(30, 195, 200, 54, "Write a ticket, go back to sleep", "#d2ebd0")
    s.box(330, 325, 240, 60, "Wake the person on duty", "#f7d9c4")
    s.box(310, 430, 280, 110, "Answer within 10 minutes?", "#fff1c9", "diamond")
    s.box(650, 455, 210, 60, "Wake the second person", "#f7d9c4")
    s.box(310, 595, 280, 110, "Solved within the hour?", "#fff1c9", "diamond")
    s.box(650, 615, 210, 70, "Wake Ines, post on the status page", "#f3b9ae")
    s.box(330, 770, 240, 60, "Write down what happened", "#dbe9f6")
    s.box(330, 880, 240, 54, "Breakfast", "#d2ebd0", "round")
    s.arrow((450, 124), (450, 165))
    s.arrow((310, 221), (230, 221), text="yes")
    s.arrow((450, 275), (450, 325), text="no")
    s.arrow((450, 385), (450, 430))
    s.arrow((590, 485), (650, 485), text="no")
    s.arrow((450, 540), (450, 595), text="yes")
    s.arrow((755, 515), (755, 560), (450, 560), (450, 595))
    s.arrow((590, 650), (650, 650), text="no")
    s.arrow((450, 705), (450, 770), text="yes")
    s.arrow((755, 685), (755, 800), (570, 800))
    s.arrow((450, 830), (450, 880))
    s.save(path)


def lending_tables(path: Path) -> None:
    """Entities and relations of the village library."""
    s = Sheet(1080, 620, "Village library: tables", "#ffffff")

    def table(x: int, y: int, name: str, columns: list[str], fill: str) -> None:
        s.box(x, y, 220, 34, name, fill)
        for n, column in enumerate(columns):
            area = QRectF(x, y + 34 + n * 27, 220, 27)
            s.paint.setPen(QPen(QColor("#9aa7b2"), 1))
            s.paint.setBrush(QColor("white"))
            s.paint.drawRect(area)
            s.words(area, column, 10)

    table(40, 90, "member", ["id  PK", "name", "card_number", "born", "blocked_until"], "#cfe0f5")
    table(
        430,
        90,
        "loan",
        ["id  PK", "member_id  FK", "copy_id  FK", "due_on", "returned_on"],
        "#ffe2b0",
    )
    table(820, 90, "copy", ["id  PK", "title_id  FK", "shelf", "bought_on"], "#d3ecd2")
    table(820, 390, "title", ["id  PK", "isbn", "name", "language"], "#d3ecd2")
    table(
        430, 390, "reservation", ["id  PK", "member_id  FK", "title_id  FK", "placed_at"], "#ffe2b0"
    )
    table(40, 390, "fine", ["id  PK", "loan_id  FK", "cents", "paid_on"], "#f3c9c6")
    s.arrow((260, 170), (430, 170), text="1 : n")
    s.arrow((820, 170), (650, 170), text="1 : n")
    s.arrow((930, 390), (930, 232), text="1 : n")
    s.arrow((820, 450), (650, 450), text="1 : n")
    s.arrow((260, 210), (345, 210), (345, 450), (430, 450))
    s.arrow((540, 259), (540, 330), (150, 330), (150, 390))
    s.words(QRectF(400, 308, 80, 20), "1 : 0..1", 9, colour="#51606e")
    s.save(path)


def energy_bars(path: Path) -> None:
    """Monthly electricity of a house, two years side by side."""
    s = Sheet(1040, 600, "Electricity from the grid (kWh)")
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    old = (935, 824, 590, 280, 214, 180, 172, 190, 236, 420, 690, 905)
    new = (712, 640, 455, 231, 160, 118, 109, 131, 192, 330, 548, 701)
    left, bottom, high = 90, 520, 400
    s.paint.setFont(QFont("Inter", 9))
    for n in range(6):
        y = bottom - n * high / 5
        s.paint.setPen(QPen(QColor("#d5dbe0"), 1))
        s.paint.drawLine(QPointF(left, y), QPointF(1010, y))
        s.words(QRectF(left - 60, y - 10, 50, 20), str(n * 200), 9)
    for n, month in enumerate(months):
        x = left + 14 + n * 76
        for shift, value, colour in ((0, old[n], "#b8c4ce"), (27, new[n], "#2d6fb8")):
            tall = high * value / 1000
            s.paint.fillRect(QRectF(x + shift, bottom - tall, 25, tall), QColor(colour))
        s.words(QRectF(x - 10, bottom + 4, 72, 22), month, 10)
    for x, colour, text in ((700, "#b8c4ce", "2024"), (800, "#2d6fb8", "2025 (new windows)")):
        s.paint.fillRect(QRectF(x, 64, 16, 16), QColor(colour))
        s.words(QRectF(x + 18, 60, 50 if text == "2024" else 150, 24), text, 10)
    s.save(path)


def make(library: Path) -> None:
    """Draw all of them."""
    application = QGuiApplication.instance() or QGuiApplication([])
    folder = library / "Work" / "Diagrams"
    two_queues(folder / "whiteboard export 3.png")
    door_states(folder / "Untitled drawing (2).png")
    escalation(folder / "flow.png")
    lending_tables(folder / "schema v2.png")
    energy_bars(library / "Documents" / "Finance" / "chart.png")
    del application
