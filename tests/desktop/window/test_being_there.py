"""Single instance, tray, state, opening, autostart, palettes."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSysInfo, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop import app as application
from desktop import icons, theme
from desktop.presentation import tiles
from desktop.state import HISTORY_LENGTH, HistoryCursor, State
from desktop.system import autostart, opening
from desktop.system.single_instance import SingleInstance
from desktop.system.tray import Tray
from desktop.system.window_socket import address, send
from desktop.window.actions import ACTIONS
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Location
from tests.desktop.scripted_indexer import ScriptedIndexer
from tests.waiting import PATIENCE


class TestSingleInstance:
    def test_nobody_there(self, qtbot: QtBot, tmp_path: Path) -> None:
        assert send(tmp_path, "show") is False

    def test_a_second_start_speaks_to_the_first(self, qtbot: QtBot, tmp_path: Path) -> None:
        first = SingleInstance(tmp_path)
        assert first.listening
        with qtbot.waitSignal(first.asked) as asked:
            script = (
                "import sys; from pathlib import Path;"
                "from desktop.system.window_socket import send;"
                "sys.exit(0 if send(Path(sys.argv[1]), 'toggle') else 1)"
            )
            second = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        assert asked.args == ["toggle", ""]
        assert second.wait(PATIENCE) == 0
        first.close()

    @pytest.mark.skipif(QSysInfo.productType() == "windows", reason="named pipes leave no file")
    def test_a_socket_left_by_a_kill_is_taken_over(self, qtbot: QtBot, tmp_path: Path) -> None:
        script = (
            "import sys,os; from pathlib import Path; from PySide6.QtCore import QCoreApplication;"
            "QCoreApplication([]); from desktop.system.single_instance import SingleInstance;"
            "s = SingleInstance(Path(sys.argv[1])); print(s.listening, flush=True);"
            "os.kill(os.getpid(), 9)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=False
        )
        assert done.stdout.strip() == b"True"
        assert send(tmp_path, "show") is False
        after = SingleInstance(tmp_path)
        assert after.listening
        after.close()

    def test_other_messages_are_ignored(self, qtbot: QtBot, tmp_path: Path) -> None:
        from PySide6.QtNetwork import QLocalSocket

        first = SingleInstance(tmp_path)
        seen: list[tuple[str, str]] = []
        first.asked.connect(lambda command, words: seen.append((command, words)))
        socket = QLocalSocket()
        socket.connectToServer(address(tmp_path))
        assert socket.waitForConnected(2000)
        socket.write(b"9 show\n1 rm\nnonsense\n1 show\n")
        qtbot.waitUntil(lambda: seen == [("show", "")])
        socket.close()
        words = "two\nlines of 100% \udcff"
        assert send(tmp_path, "ask", words)
        qtbot.waitUntil(lambda: seen[1:] == [("ask", words)])
        first.close()


class TestState:
    def test_survives_and_ignores_damage(self, tmp_path: Path) -> None:
        state = State.load(tmp_path)
        state.remember(" a  b ")
        state.remember("c")
        state.remember("a b")
        state.keep("kept")
        state.note_opened("/x")
        state.save()
        again = State.load(tmp_path)
        assert again.history == ["a b", "c"]
        assert again.saved == ["kept"]
        assert list(again.opened) == ["/x"]
        (tmp_path / "window.json").write_text('{"history": 3, "preview": false, "zzz": 1}')
        damaged = State.load(tmp_path)
        assert damaged.history == []
        assert damaged.preview is False
        (tmp_path / "window.json").write_text("{")
        assert State.load(tmp_path).preview is True

    def test_history_is_bounded_and_keeping_toggles(self) -> None:
        state = State()
        for n in range(HISTORY_LENGTH + 50):
            state.remember(f"q{n}")
        assert len(state.history) == HISTORY_LENGTH
        assert state.keep("x") is True
        assert state.keep("x") is False
        assert state.keep("  ") is False
        for n in range(60):
            state.note_opened(str(n))
        assert len(state.opened) == 50
        assert next(iter(state.opened)) == "59"

    def test_history_keeps_what_was_meant(self) -> None:
        state = State(history=["boiler"])
        for typed in ("c", "certif", "Certificate expired"):  # each rested on for a while
            state.remember(typed, used=False)
        assert state.history == ["Certificate expired", "boiler"]
        state.remember("Certificate", used=False)  # taken back, letter by letter
        assert state.history == ["Certificate expired", "boiler"]
        state.remember("Certificate")  # something was opened
        assert state.history == ["Certificate", "Certificate expired", "boiler"]
        state.forget_searches()
        assert state.history == []

    def test_cursor_on_an_empty_history(self) -> None:
        cursor = HistoryCursor(State())
        assert cursor.step(True, "typed") == "typed"
        assert cursor.step(False, "typed") == "typed"


class TestOpening:
    def test_the_editor_is_started_at_the_line(self, qtbot: QtBot, tmp_path: Path) -> None:
        file, out = tmp_path / "a.py", tmp_path / "out"
        file.write_text("x")
        command = f"sh -c 'echo {{line}} {{path}} > {out}'"
        opening.open_file(str(file), command, Location(lines=(7, 9)))
        qtbot.waitUntil(lambda: out.exists() and bool(out.read_text()))
        assert out.read_text().strip() == f"7 {file}"

    def test_what_is_gone_is_said(self, tmp_path: Path) -> None:
        gone = str(tmp_path / "gone.txt")
        with pytest.raises(InklingError, match=r"gone\.txt"):
            opening.open_file(gone, "", Location())
        with pytest.raises(InklingError, match=r"gone\.txt"):
            opening.reveal(gone)

    def test_programs_of_the_desktop_are_offered(self, qtbot: QtBot, tmp_path: Path) -> None:
        folder = Path.home() / ".local/share/applications"
        folder.mkdir(parents=True)
        (folder / "a.desktop").write_text(
            "[Desktop Entry]\nType=Application\nName=Reader\nExec=reader --x %U %i\n"
            "MimeType=application/pdf;text/plain;\n"
        )
        (folder / "broken.desktop").write_text("no section")
        file = tmp_path / "x.pdf"
        file.write_bytes(b"%PDF")
        found = {p.name: p.command for p in opening.programs_for(str(file))}
        assert found["Reader"] == ("reader", "--x", "{path}")


def test_autostart_is_made_and_taken_away(tmp_path: Path) -> None:
    base = tmp_path / "a dir 100%"
    autostart.set_enabled(True, base)
    file = autostart.entry_file()
    assert str(file).startswith(str(Path.home()))
    if sys.platform == "linux":
        parser = configparser.RawConfigParser()
        parser.read(file)
        line = parser["Desktop Entry"]["Exec"]
        assert "--hidden" in line
        assert "100%%" in line
    autostart.set_enabled(False, base)
    assert not file.exists()
    autostart.set_enabled(False, base)


class TestTheme:
    @pytest.mark.parametrize("dark", [False, True])
    @pytest.mark.parametrize("accent", ["#3d6fe0", "#ffdd00", "#e01b24", "#000000", "#ffffff"])
    def test_text_can_be_read(self, dark: bool, accent: str) -> None:
        c = theme.colours(dark, QColor(accent))
        assert theme.contrast(c.text, c.window) > 12
        assert theme.contrast(c.text, c.mark) > 4.5
        for colour in (c.muted, c.warn, c.bad, c.good):
            assert theme.contrast(colour, c.window) > 4.5
        assert theme.contrast(c.accent, c.window) > 3
        assert theme.contrast(c.on_accent, c.accent) > 3.8

    @pytest.mark.parametrize("dark", [False, True])
    @pytest.mark.parametrize("strong", [False, True])
    def test_a_palette_knows_its_scheme(self, dark: bool, strong: bool) -> None:
        c = theme.colours(dark, QColor("#3d6fe0"), strong)
        again = theme.of(theme.palette(c))
        assert (again.dark, again.text, again.muted) == (c.dark, c.text, c.muted)

    def test_theme_is_switched_at_once(self, qapp: QApplication) -> None:
        theme.apply(qapp, "dark")
        assert theme.of(qapp.palette()).dark
        theme.apply(qapp, "light")
        assert not theme.of(qapp.palette()).dark

    @pytest.mark.parametrize("dark", [False, True])
    @pytest.mark.parametrize("accent", ["#3d6fe0", "#ffdd00", "#e01b24"])
    def test_everything_that_is_drawn_can_be_read(self, dark: bool, accent: str) -> None:
        """WCAG 2.2: text 4.5:1, outlines of controls 3:1, on every surface they are drawn on."""
        c = theme.colours(dark, QColor(accent))
        chosen = theme.over(c.selected, c.window)
        for surface in (c.window, c.raised, chosen):
            assert theme.contrast(c.text, surface) >= 4.5
            assert theme.contrast(c.muted, surface) >= 4.5, surface.name()
            assert theme.contrast(c.warn, surface) >= 4.5, surface.name()
        for surface in (c.window, c.raised, chosen):
            assert theme.contrast(c.link, surface) >= 4.5, surface.name()
        for surface in (c.window, c.raised):
            assert theme.contrast(c.edge, surface) >= 3
        assert theme.contrast(c.text, c.mark) >= 4.5  # words on marks are in the text's colour
        assert theme.contrast(c.box, c.window) >= (3 if dark else 2)
        for hue in tiles.HUES:
            front, back = tiles.colours(hue, dark)
            for surface in (c.window, chosen, c.raised):
                tile = theme.over(back, surface)
                assert theme.contrast(front, tile) >= 4.5, (hue, surface.name())

    @pytest.mark.parametrize("dark", [False, True])
    @pytest.mark.parametrize("accent", ["#3d6fe0", "#ffdd00", "#e01b24", "#000000", "#ffffff"])
    def test_high_contrast_is_high(self, dark: bool, accent: str) -> None:
        """WCAG 2.2, level AAA: text 7:1; outlines, rings and what is chosen told without colour."""
        c = theme.colours(dark, QColor(accent), strong=True)
        chosen = theme.over(c.selected, c.window)
        for surface in (c.window, c.raised, c.hover, chosen):
            for words in (c.text, c.muted):
                assert theme.contrast(words, surface) >= 7
            for outline in (c.edge, c.line, c.focus):
                assert theme.contrast(outline, surface) >= 4.5
        for surface in (c.window, c.raised):
            for words in (c.link, c.warn, c.bad, c.good):
                assert theme.contrast(words, surface) >= 7
        assert theme.contrast(c.text, c.mark) >= 4.5
        assert theme.contrast(c.on_accent, c.accent) >= 3.8
        sheet = theme.stylesheet(c)
        ring = f"border-color: {c.text.name()}"
        for rule in ("QMenu::item:selected", "QListWidget::item:selected"):
            assert ring in sheet[sheet.index(rule) :].partition("}")[0]

    @pytest.mark.parametrize("dark", [False, True])
    @pytest.mark.parametrize("strong", [False, True])
    def test_what_has_the_keys_is_outlined(self, dark: bool, strong: bool) -> None:
        """WCAG 2.2, 2.4.13: a ring of two pixels that stands out at 3:1 from what is around it."""
        c = theme.colours(dark, QColor("#3d6fe0"), strong)
        for surface in (c.window, c.raised, theme.over(c.selected, c.window)):
            assert theme.contrast(c.focus, surface) >= 3
        rules = [line for line in theme.stylesheet(c).split("}") if ":focus" in line]
        borders = [rule for rule in rules if "border:" in rule]
        assert len(borders) >= 6
        assert all("border: 2px solid" in rule for rule in borders)

    @pytest.mark.parametrize("dark", [False, True])
    def test_code_colours_can_be_read(self, dark: bool) -> None:
        from desktop.presentation.highlight import COLOURS

        c = theme.colours(dark, QColor("#3d6fe0"))
        tint = QColor(c.accent)
        tint.setAlphaF(0.08)  # behind the passage
        for surface in (c.window, theme.over(tint, c.window)):
            for pair in COLOURS.values():
                assert theme.contrast(QColor(pair[dark]), surface) >= 4.5, pair


def test_every_icon_that_is_named_exists(qapp: QApplication) -> None:
    for spec in ACTIONS.values():
        assert (icons.FOLDER / f"{spec.icon}.svg").exists(), spec.id
    for file in icons.FOLDER.glob("*.svg"):
        drawn = icons.pixmap(file.stem, QColor("red"), 24, 2.0).toImage()
        assert any(
            drawn.pixelColor(x, y).alpha() for x in range(0, 48, 2) for y in range(0, 48, 2)
        ), file


def test_the_whole_application_starts_shows_toggles_and_ends(
    qtbot: QtBot, qapp: QApplication, base: BaseDir, indexer: ScriptedIndexer
) -> None:
    assert isinstance(qapp, QApplication)
    whole = application.Application(qapp, base, Settings.load(base))
    whole.state.onboarded = True
    whole.show()
    qtbot.waitUntil(lambda: whole.service.ready)
    assert whole.window.isVisible()
    field = whole.window.search.field
    qtbot.waitUntil(lambda: field.hasFocus() or not whole.window.isActiveWindow())
    whole.window.activateWindow()
    qtbot.waitUntil(whole.window.isActiveWindow)
    whole.do("toggle")
    assert not whole.window.isVisible() or whole.window.isMinimized()
    whole.do("toggle")
    assert whole.window.isVisible()
    assert not whole.window.isMinimized()
    whole.shut_down()


@pytest.mark.parametrize("tray", [True, False])
def test_escape_gets_the_window_out_of_the_way_and_never_ends_the_program(
    qtbot: QtBot,
    qapp: QApplication,
    base: BaseDir,
    indexer: ScriptedIndexer,
    monkeypatch: pytest.MonkeyPatch,
    tray: bool,
) -> None:
    monkeypatch.setattr(Tray, "available", property(lambda _: tray))
    whole = application.Application(qapp, base, Settings.load(base))
    ended: list[bool] = []
    monkeypatch.setattr(whole, "quit", lambda: ended.append(True))
    whole.state.onboarded = True
    whole.show()
    qtbot.waitUntil(lambda: whole.service.ready)
    for _ in range(2):
        QTest.keyClick(whole.window.search.field, Qt.Key.Key_Escape)
        assert whole.window.isHidden() is tray
        assert whole.window.isMinimized() is not tray
        assert not ended
        whole.show()
        assert whole.window.isVisible()
        assert not whole.window.isMinimized()
    whole.shut_down()


def test_the_window_loads_nothing_heavy() -> None:
    script = (
        "import sys, desktop.app; bad = {'torch','transformers','lancedb','pyarrow','onnxruntime',"
        "'indexer','numpy','starlette'} & set(sys.modules); print(sorted(bad)); sys.exit(bool(bad))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
