"""Every screen, light and dark, at 100 and 200 %, and in high contrast:
`python -m tests.screenshots OUT_DIR`. With LANGUAGE=de in German.

A real indexer indexes a copy of the sample library; the window is the real one. Each combination of
palette and scale runs in a process of its own, since Qt reads the scale at its start.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.screenshots_of_asking import take_asking

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop.app import Application
    from desktop.preview.pane import PreviewPane

SAMPLE = Path(__file__).resolve().parents[1] / "resources" / "sample" / "library"
FONT = "Inter"  # what the README's pictures are set in, where it is installed
#: Name of the picture -> what is searched, how many rows down.
SEARCHES: dict[str, tuple[str, int]] = {
    "results-screenshot": ("why my email stopped arriving, something with TLS being too old", 0),
    "results-pdf": ("alarm because gas escapes from the heating machine", 0),
    "results-code": ("stop workers gracefully and let waiting tasks complete", 0),
    "results-note": ("my loaf comes out dense and does not brown", 0),
    "results-filtered": ("kind:screenshot,image date:1y in:Pictures payment", 1),
    "results-loose": ('the diagram that says "two waiting lines" above the workers', 0),
    "results-markdown": ("who is on call at Easter, gateway", 0),
    "results-folded": ("a later job with the same key cancels the earlier lang:python", 0),
    "grid": ("kind:screenshot", 3),
    "nothing": ('kind:pdf "no such words anywhere"', 0),
}


#: Large enough for every window at every scale.
SCREEN = {
    "name": "wide", "x": 0, "y": 0, "width": 3840, "height": 2400,
    "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1.0,
}  # fmt: skip
#: A folder that goes away while Inkling runs.
STICK = "Stick"
NOTE = """---
title: Weekly review
tags: [gateway, planning]
---

# Weekly review of the *gateway*

Certificates of the [gateway](https://example.org/gateway) are renewed **by hand** until
May, see [numbers](#numbers).

- [x] Rotate the certificates
- [ ] Ask who is on call at Easter
  - Jonas or Ines

> Nobody was woken this week.

```python
def pause(attempt: int) -> float:
    return min(60.0, 0.5 * 2 ** attempt)  # seconds
```

## Numbers

| Region | Requests  | Failures |
|--------|----------:|---------:|
| North  | 1,204,000 | 0.02 %   |
| South  | 87,100    | 1.4 %    |
"""


def main() -> int:
    """Index once, then take the pictures in four processes."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("out", type=Path)
    options.add_argument("--theme", choices=["light", "dark"])
    options.add_argument("--home", type=Path)
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.theme:
        return _take(given.out, given.theme, given.home)
    with tempfile.TemporaryDirectory(prefix="inkling-shots-") as folder:
        home = Path(folder)
        shutil.copytree(SAMPLE, home / "library", dirs_exist_ok=True)
        _hostile_files(home / "library")
        _files_to_look_at(home / "library")
        _dates(home / "library")
        environment = _environment(home)
        try:
            inkling = [sys.executable, "-m", "desktop"]
            library = [str(p) for p in sorted((home / "library").iterdir()) if p.is_dir()]
            for part in library:
                (home / Path(part).name).symlink_to(part)
            _first_run(given.out, home)
            _of_another_version(given.out, home)
            subprocess.run([*inkling, "add", *library, "--wait"], env=environment, check=True)
            for theme in ("light", "dark"):
                for scale in (1, 2):
                    _child(given.out / f"{theme}-{scale}00", theme, home, environment, scale)
                strong = environment | {"INKLING_CONTRAST": "1"}
                _child(given.out / f"{theme}-contrast", theme, home, strong, 1)
        finally:
            subprocess.run([*inkling, "stop"], env=environment, check=False)
    print(f"{len(list(given.out.rglob('*.png')))} pictures in {given.out}")
    return 0


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), "INKLING_BASE_DIR": str(home / ".inkling")}


def _child(out: Path, theme: str, home: Path, environment: dict[str, str], scale: int) -> None:
    command = [sys.executable, "-m", "tests.screenshots", str(out), "--theme", theme]
    screen = home / "screen.json"
    screen.write_text(json.dumps({"screens": [SCREEN]}))
    platform = {
        "QT_QPA_PLATFORM": f"offscreen:configfile={screen}",
        "QT_SCALE_FACTOR": str(scale),
    }
    subprocess.run([*command, "--home", str(home)], env=environment | platform, check=True)


def _first_run(out: Path, home: Path) -> None:
    """The first run needs a base dir without folders: one of its own."""
    environment = _environment(home) | {"INKLING_BASE_DIR": str(home / ".first")}
    try:
        for theme in ("light", "dark"):
            for scale in (1, 2):
                folder = out / f"{theme}-{scale}00"
                _child(folder, theme, home, environment | {"INKLING_FIRST": "1"}, scale)
    finally:
        subprocess.run([sys.executable, "-m", "desktop", "stop"], env=environment, check=False)


def _of_another_version(out: Path, home: Path) -> None:
    """A window that meets the indexer of a newer Inkling, which it must not replace."""
    from engine.contract.paths import BaseDir
    from tests.desktop.scripted_indexer import ScriptedIndexer

    environment = _environment(home) | {"INKLING_BASE_DIR": str(home / ".newer")}
    newer = ScriptedIndexer(BaseDir(home / ".newer").create(), version="99.0")
    try:
        for theme in ("light", "dark"):
            _child(out / f"{theme}-100", theme, home, environment | {"INKLING_NEWER": "1"}, 1)
    finally:
        newer.close()


def _files_to_look_at(library: Path) -> None:
    """A note with everything in it, long code, and a folder on a disk that is taken away."""
    (library / "Notes" / "weekly.md").write_text(NOTE, encoding="utf-8")
    jobs = Path(__file__).resolve().parents[1] / "desktop" / "jobs.py"
    shutil.copy(jobs, library / "Code" / "jobs.py")
    (library / STICK).mkdir()
    (library / STICK / "regatta.md").write_text("# Regatta\n\nThe spare oars are in the shed.\n")


def _hostile_files(library: Path) -> None:
    """Something for the lists of problems and withheld files."""
    (library / "Documents" / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really")
    (library / "Documents" / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    (library / "Code" / ".env").write_text("DATABASE_PASSWORD=correct-horse-battery-staple\n")
    (library / "Code" / "id_rsa").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1\n")


def _dates(library: Path) -> None:
    """Dates as a person's files have them: from the name where it says one, else spread out."""
    for number, file in enumerate(sorted(p for p in library.rglob("*") if p.is_file())):
        said = re.search(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d)-(\d\d))?", file.name)
        if said:
            when = dt.datetime(*(int(part or 12) for part in said.groups())).timestamp()
        else:
            when = time.time() - 3_600 * 7 * number**1.6
        os.utime(file, (when, when))


def _take(out: Path, theme: str, home: Path) -> int:
    """In the child: open the window, go through the screens."""
    from PySide6.QtGui import QFont, QFontDatabase

    from desktop import strings as s
    from desktop import theme as themes
    from desktop.app import Application, application
    from desktop.settings.changing import change_settings
    from engine.contract.paths import base_dir
    from engine.contract.settings import Settings

    if os.environ.get("INKLING_CONTRAST"):  # which the offscreen platform never asks for
        themes._wants_contrast = lambda _app: True
    base = base_dir().create()
    change_settings(base, {"theme": theme})
    settings = Settings.load(base)
    app = application(settings)
    if FONT in QFontDatabase.families():
        app.setFont(QFont(FONT, 10))
    whole = Application(app, base, settings)
    camera = Camera(out, whole)
    whole.show()
    whole.window.resize(whole.window.sizeHint())  # the offscreen platform's screen is small
    try:
        if os.environ.get("INKLING_NEWER"):
            camera.until(lambda: not whole.window.onboarding.notice.isHidden())
            camera.take("newer-indexer")
            return 0
        camera.until(lambda: whole.service.ready and bool(whole.service.status), seconds=60)
        if os.environ.get("INKLING_FIRST"):
            camera.until(lambda: all(c.text() != s.COUNTING for _, c in _rows(whole)))
            camera.take("first-run")
        else:
            _screens(camera, whole)
    finally:
        whole.shut_down()
    return 0


def _rows(whole: Application) -> list[tuple[QWidget, QWidget]]:
    return list(whole.window.onboarding._rows.values())  # type: ignore[arg-type]


class Camera:
    """Waits until a screen is complete, then takes its picture."""

    def __init__(self, out: Path, whole: Application) -> None:
        self._out, self.whole = out, whole
        out.mkdir(parents=True, exist_ok=True)

    def until(self, done: Callable[[], bool], seconds: float = 20) -> bool:
        """Let the window live until `done`, at most so long."""
        from PySide6.QtCore import QCoreApplication

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            QCoreApplication.processEvents()
            if done():
                return True
            time.sleep(0.01)
        return False

    def settle(self, seconds: float = 0.8) -> None:
        self.until(lambda: False, seconds)

    def answered(self) -> None:
        """Until the answer is complete and the preview shows it."""
        window = self.whole.window
        self.until(lambda: not window.search._busy and window.ask.settled)
        self.settle(0.1)
        self.loaded(window.preview)

    def loaded(self, pane: PreviewPane) -> None:
        """Until the preview has its content, or says that there is none."""
        self.until(lambda: pane.hit is None or not pane.loading)

    def take(self, name: str, widget: QWidget | None = None) -> None:
        self.settle()
        shot = (widget or self.whole.window).grab()
        assert shot.save(str(self._out / f"{name}.png")), name


def _screens(camera: Camera, whole: Application) -> None:
    window = whole.window
    window.state.history = ["train ticket to Hamburg", "who pays for the boiler", "retry upload"]
    window.state.saved = ["kind:screenshot error"]
    window.show_home()
    camera.until(lambda: window.model.rowCount() > 0)
    camera.answered()
    camera.take("home")
    for name, (query, down) in SEARCHES.items():
        window.search.set_text(query)
        camera.answered()
        if down:
            window.results.step(down)
            camera.answered()
        camera.take(name)
    window.search.set_text("boiler manual")
    camera.answered()
    window.commands.run("details")
    camera.take("details")
    window.commands.run("details")
    window.commands.run("quick_look")
    look = window.commands._quick_look
    assert look is not None
    camera.loaded(look.pane)
    camera.take("quick-look", look)
    look.close()
    window.commands.run("similar")
    camera.answered()
    camera.take("similar")
    _by_keyboard(camera, whole)
    _small_and_several(camera, whole)
    _scrolled_and_chosen(camera, whole)
    _panel(camera, whole)
    take_asking(camera, whole)
    _dialogs(camera, whole)
    _gone_away(camera, whole, Path(os.environ["HOME"]) / "library" / STICK)


def _panel(camera: Camera, whole: Application) -> None:
    """The small panel, as it comes and with what it found."""
    panel = whole.panel
    panel.appear()
    camera.until(lambda: panel.service.ready)
    camera.take("panel-empty", panel)
    panel.search.set_text("boiler manual")
    camera.until(lambda: panel.ask.settled and not panel.search._busy)
    camera.take("panel", panel)
    panel.close()


def _by_keyboard(camera: Camera, whole: Application) -> None:
    """Where the keys are, from stop to stop."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    window = whole.window
    window.search.set_text("boiler manual")
    camera.answered()
    window.activateWindow()
    window.search.focus()
    for stop in range(1, 11):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        camera.take(f"focus-{stop:02}")
    window.search.focus()


def _small_and_several(camera: Camera, whole: Application) -> None:
    """A small window, where the preview yields; several rows selected; a picture held over it."""
    window, size = whole.window, whole.window.size()
    window.search.set_text("screenshots of the login page from last week ext:png")
    camera.answered()
    window.resize(600, 480)
    camera.take("small")
    window.resize(size)
    window.search.set_text("boiler manual")
    camera.answered()
    window.results.selectAll()
    camera.take("selected")
    window.drop_hint.appear()
    camera.take("drop")
    window.drop_hint.hide()


def _scrolled_and_chosen(camera: Camera, whole: Application) -> None:
    """Between two pages of a document; the menu of folders; what may follow a filter."""
    window = whole.window
    pages = window.preview.pages
    window.search.set_text("alarm because gas escapes from the heating machine")
    camera.answered()
    bar = pages.verticalScrollBar()
    bar.triggerAction(bar.SliderAction.SliderPageStepAdd)
    camera.until(lambda: pages.page in pages.kept)
    camera.take("results-scrolled")
    camera.until(lambda: bool(window.ask.held.values))
    menu = window.chips.folder.property("menu")
    menu.popup(window.pos())
    camera.take("menu-folders", menu)
    menu.close()


def _gone_away(camera: Camera, whole: Application, folder: Path) -> None:
    """The disk of a folder is taken out, and put back."""
    away = folder.with_name(f".{folder.name}")
    folder.rename(away)
    try:
        camera.until(lambda: not _is_online(whole, folder), seconds=60)
        whole.window.search.set_text("spare oars regatta")
        camera.answered()
        camera.take("folder-away")
    finally:
        away.rename(folder)
        camera.until(lambda: _is_online(whole, folder), seconds=60)


def _is_online(whole: Application, folder: Path) -> bool:
    known = whole.service.status.get("folders", ())
    return all(f["online"] for f in known if f["path"] == str(folder))


def _dialogs(camera: Camera, whole: Application) -> None:
    commands = whole.window.commands
    for action, name in (
        ("palette", "palette"),
        ("shortcuts", "shortcuts"),
        ("explain", "explain"),
    ):
        commands.run(action)
        camera.settle(1.0)
        # The palette lies on the window.
        camera.take(name, None if name == "palette" else commands._dialogs[name])
        commands._dialogs[name].close()
    commands.run("index_panel")
    from desktop.index.panel import IndexPanel

    panel = commands._dialogs["index"]
    assert isinstance(panel, IndexPanel)
    for tab in ("folders", "problems", "left-out", "withheld", "model", "privacy"):
        panel.show_tab(tab)
        camera.take(f"index-{tab}", panel)
    panel.close()
    commands.run("settings")
    from desktop.settings.dialog import SettingsDialog
    from engine.contract.settings import SECTIONS

    dialog = commands._dialogs["settings"]
    assert isinstance(dialog, SettingsDialog)
    for row, section in enumerate(SECTIONS):
        dialog._sections.setCurrentRow(row)
        camera.take(f"settings-{section.lower()}", dialog)
    dialog.close()
    menu = whole.window.menu()
    menu.popup(whole.window.pos())
    camera.take("menu", menu)
    menu.close()


if __name__ == "__main__":
    sys.exit(main())
