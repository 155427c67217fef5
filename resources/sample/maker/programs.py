"""Small Qt programs whose windows the screenshots show: `python programs.py NAME`."""

from __future__ import annotations

import sys

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from look import DARK, LIGHT, column, disc, dress, label, panel, row


def button(text: str, main: bool = False) -> QPushButton:
    """A push button; the main one is coloured."""
    made = QPushButton(text)
    made.setProperty("main", main)
    return made


def menu(items: list[str], chosen: int, width: int) -> QListWidget:
    """A column of names with one chosen."""
    made = QListWidget()
    made.addItems(items)
    made.setCurrentRow(chosen)
    made.setFixedWidth(width)
    made.setSpacing(4)
    return made


def window(title: str, layout, width: int, height: int) -> QWidget:
    """A top-level window."""
    made = QWidget()
    made.setWindowTitle(title)
    made.setLayout(layout)
    made.resize(width, height)
    return made


def mail() -> QWidget:
    """A mail program whose server's certificate has run out."""
    folders = menu(
        ["Inbox   (14)", "Drafts   (2)", "Sent", "Archive", "Junk   (61)", "Trash"], 0, 150
    )
    messages = QTreeWidget()
    messages.setHeaderLabels(["From", "Subject", "Date"])
    messages.setRootIsDecorated(False)
    messages.setColumnWidth(0, 170)
    messages.setColumnWidth(1, 330)
    for line in (
        ("Birgit Aalto", "Boat list for the spring regatta", "13 Mar"),
        ("City Library", "Two items are due back on Friday", "13 Mar"),
        ("Tomasz Wrona", "Re: who has the label printer?", "12 Mar"),
        ("Nordlys Energy", "Your statement for February", "11 Mar"),
        ("Jonas Petri", "Photos from the harbour", "10 Mar"),
    ):
        messages.addTopLevelItem(QTreeWidgetItem(line))
    warning = panel(
        column(
            row(
                disc("!", "#c64600", 44),
                column(
                    label("Secure connection failed", 14, bold=True),
                    label(
                        "Postbird could not verify <b>imap.harbour-rowing.example</b>. The "
                        "security certificate expired on 12 March 2026 at 23:59."
                    ),
                    gap=6,
                ),
                gap=16,
            ),
            label("Issued to: *.harbour-rowing.example", colour="#77767b"),
            label("Issued by: Open Trust Services CA 4", colour="#77767b"),
            label("Error code: SEC_ERROR_EXPIRED_CERTIFICATE", colour="#77767b"),
            label("New messages will not be fetched until this is solved."),
            row(button("View certificate …"), 0, button("Try again"), button("Work offline", True)),
            gap=10,
            edge=20,
        ),
        card=True,
        width=540,
    )
    body = row(folders, messages, gap=6)
    tools = row(button("Get mail"), button("Write"), button("Reply"), 0, QLineEdit("Search mail"))
    made = window("Inbox - Postbird", column(tools, body, gap=8, edge=8), 900, 520)
    warning.setParent(made)
    warning.setGeometry(190, 150, 540, 270)
    warning.raise_()
    return made


def settings() -> QWidget:
    """A settings page about being left in peace, dark."""
    pages = menu(
        ["Wi-Fi", "Bluetooth", "Display", "Sound", "Notifications", "Power", "Keyboard", "Users"],
        4,
        180,
    )

    def switch(title: str, explained: str, on: bool) -> QWidget:
        colour = DARK["accent"] if on else "#5e5c64"
        knob = "right" if on else "left"
        mark = label("●", 13, colour="white")
        mark.setAlignment(Qt.AlignmentFlag.AlignRight if on else Qt.AlignmentFlag.AlignLeft)
        mark.setFixedSize(44, 22)
        mark.setStyleSheet(
            f"background: {colour}; color: white; border-radius: 11px; padding-{knob}: 3px;"
        )
        words = column(label(title, 10, bold=True), label(explained, 9, colour=DARK["dim"]), gap=2)
        return panel(row(words, mark, edge=12), card=True)

    hours = row(QLineEdit("22:30"), label("until"), QLineEdit("06:45"), 0, gap=10)
    right = column(
        label("Notifications", 18, bold=True),
        switch("Do not disturb", "Hide all banners and keep the screen dark", False),
        switch("Quiet at night", "Silence everything on a schedule", True),
        panel(column(label("Silent hours", 10, bold=True), hours, edge=12), card=True),
        switch("Let alarms and calls from favourites through", "Three people are favourites", True),
        switch("Show on the lock screen", "Names only, no message text", True),
        0,
        gap=10,
    )
    return window("Settings", row(pages, right, gap=16, edge=12), 820, 560)


def chat() -> QWidget:
    """A group chat that moves a dinner."""
    rooms = menu(["Rowing crew", "Family", "Work", "Jonas", "Ines", "Stairwell 12"], 0, 170)

    def bubble(name: str, text: str, time: str, colour: str, mine: bool = False) -> QWidget:
        tint = "#d3e4f6" if mine else "#ffffff"
        words = panel(
            column(
                label(name, 9, bold=True, colour=colour),
                label(text, 10),
                label(time, 8, colour="#9a9996"),
                gap=2,
                edge=9,
            ),
            style=f"background: {tint}; border-radius: 10px;",
            width=400,
        )
        return panel(row(0, words) if mine else row(disc(name[0], colour), words, 0, gap=10))

    talk = column(
        bubble(
            "Birgit", "The Anchor is closed for a private party on Friday :(", "17:58", "#a347ba"
        ),
        bubble("Tomasz", "Then let us push the dinner to Saturday, same time?", "18:01", "#26a269"),
        bubble(
            "Mara",
            "Saturday works. Half past seven, I can book for nine.",
            "18:02",
            "#1a5fb4",
            True,
        ),
        bubble(
            "Jonas",
            "Only if there is something without peanuts this time. Last year was no fun.",
            "18:04",
            "#c64600",
        ),
        bubble(
            "Mara", "I will tell the kitchen. Table is under Lindqvist.", "18:05", "#1a5fb4", True
        ),
        0,
        row(QLineEdit("Write a message"), button("Send", True)),
        gap=8,
    )
    return window("Rowing crew - Parley", row(rooms, talk, gap=12, edge=10), 780, 560)


class Week(QWidget):
    """A calendar's week, painted."""

    DAYS = ("Mon 6", "Tue 7", "Wed 8", "Thu 9", "Fri 10", "Sat 11", "Sun 12")
    EVENTS = (
        (0, 9.0, 10.0, "Stand-up and planning", "#3584e4"),
        (0, 14.5, 15.5, "Interview: Priya (backend)", "#9141ac"),
        (1, 8.25, 9.75, "Dentist, Dr. Halvorsen\nKirkegata 8", "#e01b24"),
        (1, 13.0, 15.0, "Bridge sensors: kick-off", "#3584e4"),
        (2, 11.0, 12.0, "Car to the garage,\nsummer tyres", "#e66100"),
        (2, 18.0, 19.5, "Choir rehearsal", "#2ec27e"),
        (3, 10.0, 11.5, "Quarter review", "#3584e4"),
        (4, 12.0, 13.0, "Lunch with Ines", "#2ec27e"),
        (4, 16.0, 17.0, "Parents' evening, room 2.14", "#9141ac"),
        (5, 11.0, 16.0, "Regatta", "#e66100"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Calendar - April 2026")
        self.resize(960, 640)

    def paintEvent(self, _event) -> None:
        paint = QPainter(self)
        paint.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.fillRect(self.rect(), QColor("white"))
        left, top = 60, 78
        wide, high = (self.width() - left - 8) / 7, (self.height() - top - 8) / 13
        paint.setPen(QColor("#2e3436"))
        paint.setFont(QFont("Inter", 17, QFont.Weight.DemiBold))
        paint.drawText(16, 36, "April 2026")
        paint.setFont(QFont("Inter", 10))
        paint.drawText(180, 36, "Week 15")
        for day, name in enumerate(self.DAYS):
            paint.drawText(int(left + day * wide + 8), top - 12, name)
        for hour in range(14):
            y = int(top + hour * high)
            paint.setPen(QColor("#77767b"))
            if hour < 13:
                paint.drawText(12, y + 5, f"{hour + 8:02}:00")
            paint.setPen(QColor("#e4e2e0"))
            paint.drawLine(left, y, self.width(), y)
        for day in range(8):
            x = int(left + day * wide)
            paint.drawLine(x, top - 30, x, self.height())
        paint.setFont(QFont("Inter", 9))
        for day, start, end, text, colour in self.EVENTS:
            box = QRect(
                int(left + day * wide + 3),
                int(top + (start - 8) * high + 1),
                int(wide - 6),
                int((end - start) * high - 2),
            )
            shade = QColor(colour)
            paint.setPen(Qt.PenStyle.NoPen)
            paint.setBrush(shade)
            paint.drawRoundedRect(box, 5, 5)
            paint.setPen(QColor("white"))
            flags = int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
            paint.drawText(box.adjusted(6, 4, -4, -2), flags, text)


class Monitor(QWidget):
    """A monitoring page with a latency spike, painted, dark."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("picture-service - Lookout")
        self.resize(1000, 600)

    def paintEvent(self, _event) -> None:
        paint = QPainter(self)
        paint.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.fillRect(self.rect(), QColor("#16181d"))
        paint.setPen(QColor("#e6e6e6"))
        paint.setFont(QFont("Inter", 15, QFont.Weight.DemiBold))
        paint.drawText(20, 36, "picture-service / production / last 6 hours")
        numbers = (
            ("Requests per second", "412", "#e6e6e6"),
            ("p95 response time", "2.84 s", "#ff6b5e"),
            ("Error share", "3.1 %", "#ffb454"),
            ("Memory, worst pod", "91 %", "#ffb454"),
        )
        for n, (title, value, colour) in enumerate(numbers):
            box = QRect(20 + n * 242, 56, 232, 84)
            self._card(paint, box, title)
            paint.setPen(QColor(colour))
            paint.setFont(QFont("Inter", 22, QFont.Weight.DemiBold))
            paint.drawText(box.adjusted(14, 34, 0, 0), 0, value)
        import math
        import random

        random.seed(11)
        spike = [
            180 + 25 * random.random() + 2600 * math.exp(-(((t - 130) / 9) ** 2))
            for t in range(180)
        ]
        memory = [38 + t * 0.29 + 2 * random.random() for t in range(180)]
        self._chart(paint, QRect(20, 156, 474, 420), "Latency p95 (ms)", spike, 3000, "#5b9bd5")
        self._chart(
            paint, QRect(506, 156, 474, 420), "Memory (%): leaking?", memory, 100, "#ffb454"
        )

    def _card(self, paint: QPainter, box: QRect, title: str) -> None:
        paint.setPen(QPen(QColor("#2c3038")))
        paint.setBrush(QColor("#1e2128"))
        paint.drawRoundedRect(box, 6, 6)
        paint.setPen(QColor("#a0a4ad"))
        paint.setFont(QFont("Inter", 10))
        paint.drawText(box.adjusted(14, 10, 0, 0), 0, title)

    def _chart(self, paint, box: QRect, title: str, values, top: float, colour: str) -> None:
        self._card(paint, box, title)
        inner = box.adjusted(50, 44, -16, -36)
        paint.setFont(QFont("Inter", 8))
        for n in range(6):
            y = int(inner.bottom() - inner.height() * n / 5)
            paint.setPen(QColor("#2c3038"))
            paint.drawLine(inner.left(), y, inner.right(), y)
            paint.setPen(QColor("#a0a4ad"))
            paint.drawText(box.left() + 12, y + 4, f"{top * n / 5:.0f}")
        for n in range(7):
            x = int(inner.left() + inner.width() * n / 6)
            paint.drawText(x - 14, inner.bottom() + 18, f"{7 + n:02}:30")
        paint.setPen(QPen(QColor(colour), 2))
        step = inner.width() / (len(values) - 1)
        spots = [
            (inner.left() + n * step, inner.bottom() - inner.height() * v / top)
            for n, v in enumerate(values)
        ]
        for (x1, y1), (x2, y2) in zip(spots, spots[1:], strict=False):
            paint.drawLine(int(x1), int(y1), int(x2), int(y2))


CONFLICT = """\
def thumbnail_size(width: int, height: int, limit: int = 512) -> tuple[int, int]:
    \"\"\"Largest size that fits the box and keeps the proportions.\"\"\"
<<<<<<< HEAD
    scale = min(limit / width, limit / height, 1.0)
    return round(width * scale), round(height * scale)
=======
    if width <= limit and height <= limit:
        return width, height
    scale = limit / max(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))
>>>>>>> feature/tiny-panoramas


def is_panorama(width: int, height: int) -> bool:
    return max(width, height) > 4 * min(width, height)
"""


def editor() -> QWidget:
    """A code editor stuck in a merge, dark."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    files = menu(
        ["M  limits.py", "U  sizes.py", "M  worker.py", "    test_sizes.py", "    README.md"],
        1,
        190,
    )
    text = QTextBrowser()
    html = highlight(CONFLICT, PythonLexer(), HtmlFormatter(style="monokai", noclasses=True))
    text.setHtml(html)
    text.setFont(QFont("JetBrains Mono", 10))
    text.setStyleSheet("font-family: 'JetBrains Mono'; background: #272822;")
    bar = row(
        label("⑂ main  ·  merging feature/tiny-panoramas", 9, colour=DARK["dim"], wrap=False),
        0,
        label("1 conflict left  ·  Ln 3, Col 1  ·  Python", 9, colour=DARK["dim"], wrap=False),
    )
    choices = row(button("Accept current"), button("Accept incoming"), button("Keep both"), 0)
    body = row(files, column(choices, text), gap=8)
    return window("sizes.py - previews - Quill", column(body, bar, edge=8), 980, 560)


TICKET = """
<h2 style='color:#0b4f8a'>Your journey is booked</h2>
<p>Thank you, Mara Lindqvist. Show this page or the code on your telephone on board.</p>
<table cellpadding='7' width='100%' style='border-collapse:collapse'>
<tr bgcolor='#e8f0f8'><td><b>Departs</b></td><td><b>Arrives</b></td><td><b>Train</b></td>
<td><b>Coach / seat</b></td></tr>
<tr><td>København H<br>Sat 16 May, 07:26</td><td>Hamburg Hbf<br>12:06</td><td>EC 395</td>
<td>coach 25, seat 61 (window)</td></tr>
<tr><td>Hamburg Hbf<br>12:36</td><td>Basel SBB<br>19:13</td><td>ICE 75</td>
<td>coach 9, seat 44 (aisle)</td></tr></table>
<p><b>Booking reference: QX7R2M</b></p>
<p>Bicycle space reserved on both trains. Two changes of platform, 30 minutes in Hamburg.</p>
<p>Paid: 129.80 EUR. The fare can be refunded until the day before travel, less 10 EUR.</p>
"""


def browser() -> QWidget:
    """A booking page in a browser."""
    page = QTextBrowser()
    page.setHtml(TICKET)
    page.setStyleSheet("font-size: 14px; padding: 20px;")
    tabs = row(button("Booking confirmed"), button("Weather in Basel"), button("+"), 0, gap=2)
    bar = row(
        button("‹"), button("›"), QLineEdit("https://booking.nordbahn.example/confirm"), gap=4
    )
    return window("Booking confirmed - Petrel", column(tabs, bar, page, gap=6, edge=6), 860, 580)


def backup() -> QWidget:
    """A backup that has run out of room."""
    progress = QProgressBar()
    progress.setValue(73)
    progress.setTextVisible(False)
    log = QPlainTextEdit(
        "02:00:04  Comparing 214,806 files …\n"
        "02:11:37  6,310 new or changed files, 88.4 GB\n"
        "02:52:19  Writing to /media/mara/Vault failed: No space left on device (ENOSPC)\n"
        "02:52:19  Removed the unfinished snapshot. Earlier snapshots are intact."
    )
    log.setFont(QFont("JetBrains Mono", 9))
    message = panel(
        row(
            disc("✕", "#c01c28", 40),
            column(
                label("Last night's backup did not finish", 13, bold=True),
                label(
                    "The disk “Vault” is full: 1.9 TB of 2.0 TB are used and 24.1 GB more are "
                    "needed. Delete old snapshots or choose a larger disk."
                ),
            ),
            gap=14,
            edge=14,
        ),
        card=True,
        style="QFrame[card='true'] { background: #fbe9e7; border: 1px solid #f1b5ae; }",
    )
    choose = QComboBox()
    choose.addItems(["Keep 12 months", "Keep 6 months"])
    options = row(label("Old snapshots:"), choose, 0)
    actions = row(0, button("Show old snapshots"), button("Try again now", True))
    layout = column(message, progress, log, options, actions, gap=12, edge=16)
    return window("Backups", layout, 720, 440)


PROGRAMS = {
    "mail": (mail, LIGHT),
    "settings": (settings, DARK),
    "chat": (chat, LIGHT),
    "week": (Week, LIGHT),
    "monitor": (Monitor, DARK),
    "editor": (editor, DARK),
    "browser": (browser, LIGHT),
    "backup": (backup, LIGHT),
}


def main() -> None:
    """Show one of the programs until it is ended."""
    app = QApplication(sys.argv)
    make, colours = PROGRAMS[sys.argv[1]]
    dress(app, colours)
    shown = make()
    shown.show()
    sys.exit(app.exec())


if __name__ == "__main__":
    main()
