"""How the window feels, in figures: start, keystroke to paint, longest frame, memory.

`python -m tests.benchmarks.window [--base-dir DIR] [--platform offscreen|xcb] [--json FILE]`

DIR is the base directory of an index (its size is reported with the figures); without it the sample
library is indexed first. Times are those of the real window against the real indexer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.client import read_endpoint
from engine.contract.paths import BaseDir

if TYPE_CHECKING:
    from desktop.app import Application
    from engine.contract.types import Answer

QUERIES = (
    "why my email stopped arriving",
    "alarm because gas escapes from the heating machine",
    "stop workers gracefully",
    "my loaf comes out dense",
    "invoice for the repair",
    "retry with growing pause",
)
SAMPLE = Path(__file__).resolve().parents[2] / "resources" / "sample" / "library"
STARTS = 5


def main() -> int:
    """Measure and print; the limits are those that the project promises."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--base-dir", type=Path)
    options.add_argument("--platform", default="offscreen")
    options.add_argument("--json", type=Path)
    options.add_argument("--role", choices=["start", "type"], help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.role:
        print(json.dumps(_start() if given.role == "start" else _type()))
        return 0
    with tempfile.TemporaryDirectory(prefix="inkling-bench-") as folder:
        base = given.base_dir or Path(folder) / "base"
        environment = {
            **os.environ,
            "INKLING_BASE_DIR": str(base),
            "QT_QPA_PLATFORM": given.platform,
        }
        inkling = [sys.executable, "-m", "desktop"]
        ours = given.base_dir is None or read_endpoint(BaseDir(base)) is None
        try:
            if given.base_dir is None:
                add = [*inkling, "add", str(SAMPLE), "--wait"]
                subprocess.run(add, env=environment, check=True, stdout=subprocess.DEVNULL)
            starts = [_child("start", environment)["shown_s"] for _ in range(STARTS)]
            figures = {"shown_s": round(statistics.median(starts), 3)}
            figures |= _child("type", environment)
        finally:
            if ours:
                subprocess.run([*inkling, "stop"], env=environment, check=False)
    print(json.dumps(figures, indent=2))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2))
    return 0


def _child(role: str, environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.window", "--role", role]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def _start() -> dict[str, float]:
    """Seconds from the process's birth to the window's first paint."""
    import psutil

    born = psutil.Process().create_time()
    from PySide6.QtCore import QEvent, QObject

    from desktop.app import Application, application
    from engine.contract.paths import base_dir
    from engine.contract.settings import Settings

    class FirstPaint(QObject):
        at = 0.0

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and not self.at:
                self.at = time.time()
                app.quit()
            return False

    base = base_dir().create()
    settings = Settings.load(base)
    app = application(settings)
    whole = Application(app, base, settings)
    watch = FirstPaint()
    whole.window.search.installEventFilter(watch)
    whole.show()
    app.exec()
    whole.shut_down()
    return {"shown_s": watch.at - born}


def _type() -> dict[str, Any]:
    """Type each query key by key; take the times of the last key, which answers the whole text."""
    import psutil

    from desktop.app import Application, application
    from engine.contract.paths import base_dir
    from engine.contract.settings import Settings

    base = base_dir().create()
    settings = Settings.load(base)
    whole = Application(application(settings), base, settings)
    whole.window.state.onboarded = True
    whole.show()
    typist = Typist(whole)
    typist.until(lambda: whole.service.ready and bool(whole.service.status), 60)
    for round_ in range(4):
        for query in QUERIES:
            typist.type_query(query, measured=round_ > 0)  # the first round loads the model
    units = (whole.service.status.get("totals") or {}).get("units", 0)
    memory = psutil.Process().memory_info().rss
    whole.shut_down()
    return {"units": units, **typist.figures(), "resident_mb": round(memory / 1e6, 1)}


class Typist:
    """Types into the window and notes when the list is painted and how long frames take."""

    def __init__(self, whole: Application) -> None:
        from PySide6.QtCore import QEvent, QObject, QTimer

        typist = self

        class Paints(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    typist.painted_now()
                return False

        self._window = whole.window
        self._paints = Paints()
        self._waiting: list[str] = []
        self._painted: dict[str, float] = {}
        self._first: list[float] = []
        self._rescored: list[float] = []
        self._frames: list[tuple[float, float]] = []  # wall, processor time of this thread
        self._tick = (0.0, 0.0)
        self._window.results.viewport().installEventFilter(self._paints)
        whole.service.stage_arrived.connect(self._arrived)
        self._beat = QTimer()
        self._beat.setInterval(0)
        self._beat.timeout.connect(self._frame)

    def _arrived(self, stage: Answer) -> None:
        self._waiting += [stage.stage, "first"]
        self._window.results.viewport().update()

    def painted_now(self) -> None:
        now = time.perf_counter()
        for name in self._waiting:
            self._painted.setdefault(name, now)
        self._waiting = []

    def _frame(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self._frames.append((now[0] - self._tick[0], now[1] - self._tick[1]))
        self._tick = now

    def until(self, done: Callable[[], bool], seconds: float) -> None:
        from PySide6.QtCore import QCoreApplication

        deadline = time.perf_counter() + seconds
        while not done() and time.perf_counter() < deadline:
            QCoreApplication.processEvents()
            time.sleep(0.0005)

    def type_query(self, query: str, *, measured: bool) -> None:
        from PySide6.QtTest import QTest

        field = self._window.search.field
        self._window.search.set_text("")
        self.until(lambda: False, 0.15)
        self._tick = (time.perf_counter(), time.thread_time())
        if measured:
            self._beat.start()
        for letter in query[:-1]:
            QTest.keyClicks(field, letter)
            self.until(lambda: False, 0.06)
        self.until(lambda: not self._window.search._busy, 10)
        self._painted.clear()
        pressed = time.perf_counter()
        QTest.keyClicks(field, query[-1])
        self.until(lambda: "rescored" in self._painted, 10)
        self._beat.stop()
        if measured and "rescored" in self._painted:
            self._first.append(self._painted["first"] - pressed)
            self._rescored.append(self._painted["rescored"] - pressed)

    def figures(self) -> dict[str, float]:
        wall = [frame[0] for frame in self._frames]
        return {
            "first_stage_ms": _ms(statistics.median(self._first)),
            "rescored_ms": _ms(statistics.median(self._rescored)),
            "rescored_p90_ms": _ms(sorted(self._rescored)[int(0.9 * len(self._rescored))]),
            "longest_frame_ms": _ms(max(wall)),
            "longest_frame_own_work_ms": _ms(max(frame[1] for frame in self._frames)),
            "frames_over_50_ms": sum(gap > 0.05 for gap in wall),
            "frames": len(wall),
        }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


if __name__ == "__main__":
    sys.exit(main())
