"""The real window over a real indexer and the sample library: type, see, open; and under X."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.connection import IndexerConnection
from desktop.presentation.matches import boxes, tints
from desktop.settings.changing import change_settings
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.window.window import Window
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Answer
from tests.scripted_model_server import ScriptedModelServer, endless, said
from tests.waiting import PATIENCE, PATIENCE_MS

pytestmark = pytest.mark.slow


def _fewer(folder: str, names: list[str]) -> list[str]:
    """Reading text in pictures is the slow part: four screenshots are enough here."""
    return [n for n in names if "2026-03" not in n] if folder.endswith("Screenshots") else []


@pytest.fixture(scope="module")
def indexed(
    tmp_path_factory: pytest.TempPathFactory, sample_library: Path
) -> Iterator[tuple[BaseDir, Path]]:
    """A base directory whose indexer knows a copy of the sample library, and that copy."""
    folder = tmp_path_factory.mktemp("real")
    library = Path(shutil.copytree(sample_library, folder / "library", ignore=_fewer))
    (library / "Code" / ".env").write_text("DATABASE_PASSWORD=correct-horse-battery-staple\n")
    (library / "Documents" / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really")
    base = BaseDir(folder / "base").create()
    inkling = [sys.executable, "-m", "desktop", "--base-dir", str(base.root)]
    subprocess.run([*inkling, "add", str(library), "--wait"], check=True, timeout=PATIENCE)
    yield base, library
    subprocess.run([*inkling, "stop"], check=False, timeout=PATIENCE)


@pytest.fixture
def real(qtbot: QtBot, indexed: tuple[BaseDir, Path], tmp_path: Path) -> Iterator[Window]:
    """The window on that indexer; its state is its own."""
    base = indexed[0]
    service = IndexerConnection(base)
    state = State.load(tmp_path)
    state.onboarded = True
    made = Window(base, SettingsClient(base, Settings.load(base), service), state, service)
    qtbot.addWidget(made)
    made.show()
    with qtbot.waitSignal(service.status_changed, timeout=PATIENCE_MS):
        service.start()
    yield made
    made.shut_down()
    made.hide()


def ask(qtbot: QtBot, window: Window, text: str) -> None:
    """Type a question and wait until its last stage is on the screen."""
    window.search.set_text("")
    with qtbot.waitSignal(window.service.search_finished, timeout=PATIENCE_MS):
        QTest.keyClicks(window.search.field, text)
        window.ask.send()
    qtbot.waitUntil(lambda: not window.search._busy, timeout=PATIENCE_MS)


def first(window: Window) -> str:
    return str(window.model.index(0, 0).data())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("why my email stopped arriving, something with TLS being too old",
         "Screenshot 2026-03-14 10-22-31.png"),
        ("alarm because gas escapes from the heating machine", "HX-40.pdf"),
        ("stop workers gracefully and let waiting tasks complete", "pool.go"),
        ("my loaf comes out dense and does not brown", "bread.md"),
        ("SEC_ERROR_EXPIRED_CERTIFICATE", "Screenshot 2026-03-14 10-22-31.png"),
    ],
)  # fmt: skip
def test_a_question_shows_the_file_that_answers_first(
    qtbot: QtBot, real: Window, question: str, answer: str
) -> None:
    ask(qtbot, real, question)
    assert first(real) == answer
    assert real.results.currentIndex().row() == 0
    assert real.notice.label.text() == "" or not real.notice.isVisible()


GAS = "what to do when the heating machine gives a gas alarm"


@pytest.fixture
def model(indexed: tuple[BaseDir, Path]) -> Iterator[ScriptedModelServer]:
    """A language model that says what it is told, and is the one that is asked."""
    with ScriptedModelServer() as server:
        server.models["data"][0]["max_model_len"] = 8_000
        change_settings(indexed[0], {"ask_server": server.url})
        yield server
        change_settings(indexed[0], {"ask_server": ""})


def test_a_question_is_answered_in_sentences_with_their_source(
    qtbot: QtBot, real: Window, model: ScriptedModelServer
) -> None:
    proven, made_up = "H01 is propane in the air [1]. ", "The maker of it sits in Lisbon [1]. "
    model.script = lambda _body: said(proven, made_up, "Good luck!")
    ask(qtbot, real, GAS)
    before = real.results.hit()
    QTest.keyClick(real.search.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: real.answering.shown, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not real.answering.running, timeout=PATIENCE_MS)
    view = real.answering.panel.view
    assert "H01 is propane in the air." in view.toPlainText()
    assert "Good luck" not in view.toPlainText()
    assert [chip.doubtful for chip in view.chips] == [False, True]
    real.answering.show_numbered(1)
    hit = real.results.hit()
    assert hit is not None
    assert (Path(hit.path).name, hit.location.page) == ("HX-40.pdf", 3)
    qtbot.waitUntil(lambda: real.preview.page == 3, timeout=PATIENCE_MS)
    assert boxes(hit, 3)
    model.script = lambda _body: said("F and H stay until somebody confirms them [1].")
    real.answering.follow_up("does that code go away?")
    qtbot.waitUntil(lambda: not real.answering.running, timeout=PATIENCE_MS)
    assert "H01 is propane" in model.messages()  # the earlier answer went along
    model.script = endless(model, said("H01 is propane in the air [1]. ", ending=None))
    real.answering.follow_up("and what is H01?")
    qtbot.waitUntil(lambda: "word word" in view.toPlainText(), timeout=PATIENCE_MS)
    QTest.keyClick(real.search.field, Qt.Key.Key_Escape)
    assert model.gone.wait(PATIENCE)  # the model itself hears that nobody waits
    QTest.keyClick(real.search.field, Qt.Key.Key_Escape)
    assert real.results.hit() == before


def test_a_screenshot_is_shown_with_the_region_that_matched(qtbot: QtBot, real: Window) -> None:
    ask(qtbot, real, '"Error code"')
    hit = real.results.hit()
    assert hit is not None
    assert hit.kind == "screenshot"
    assert boxes(hit)
    qtbot.waitUntil(lambda: real.preview.has_picture, timeout=PATIENCE_MS)
    assert real.preview.picture._boxes
    before = real.preview.picture.image.width()
    assert before > 400
    qtbot.waitUntil(lambda: real.thumbnails.get(hit) is not None, timeout=PATIENCE_MS)


def test_a_region_is_asked_together_with_the_words(qtbot: QtBot, real: Window) -> None:
    ask(qtbot, real, "expired certificate kind:screenshot")
    found = first(real)
    qtbot.waitUntil(lambda: real.preview.has_picture, timeout=PATIENCE_MS)
    real.commands.run("search_region")
    port = real.preview.picture.viewport()
    middle = port.rect().center()
    low, high = middle - QPoint(90, 40), middle + QPoint(90, 40)
    stages: list[Answer] = []
    real.service.stage_arrived.connect(stages.append)
    with qtbot.waitSignal(real.service.search_finished, timeout=PATIENCE_MS):
        QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=low)
        QTest.mouseMove(port, low + QPoint(5, 5))
        QTest.mouseMove(port, high)
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=high)
    assert real.search.text() == real.question.text == "expired certificate kind:screenshot"
    assert real.question.image is not None
    assert real.search.picture.isVisible()
    assert real.ask.settled
    assert {hit.kind for hit in stages[-1].hits} == {"screenshot"}  # the filter holds, too
    assert first(real) == found  # the one that it was cut from
    with qtbot.waitSignal(real.service.search_finished, timeout=PATIENCE_MS):
        QTest.keyClicks(real.search.field, " city")  # words typed after it are asked with it
    assert real.question.image is not None
    with qtbot.waitSignal(real.service.search_finished, timeout=PATIENCE_MS):
        real.ask.drop_picture()
    assert real.search.text() == "expired certificate kind:screenshot city"


def test_a_pdf_opens_at_its_page_and_pages_turn(qtbot: QtBot, real: Window) -> None:
    ask(qtbot, real, "alarm because gas escapes from the heating machine")
    qtbot.waitUntil(lambda: real.preview.page == 3, timeout=PATIENCE_MS)
    hit = real.results.hit()
    assert hit is not None
    # The row that answers, which has none of the words; not the foot of the page, which has two.
    [(start, end)] = tints(hit)
    assert hit.snippet[start:end] in (
        "H01 leak sensor: propane\nin the air",
        "leave the house, do not touch switches, call the\nfire brigade from outside",
    )
    assert "HX-40" not in hit.snippet
    first_line, second_line = (box for box, word in boxes(hit) if not word)
    assert first_line[3] <= second_line[1] + 0.01 < second_line[3]
    shown = real.preview.image()
    assert not shown.isNull()
    real.commands.run("next_page")
    qtbot.waitUntil(lambda: real.preview.page == 4, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not real.preview.image().isNull(), timeout=PATIENCE_MS)
    assert real.preview.image() != shown


def test_code_opens_at_its_line_in_the_persons_editor(
    qtbot: QtBot, real: Window, tmp_path: Path
) -> None:
    out = tmp_path / "opened"
    real.settings.set("editor_command", f"sh -c 'echo {{line}} {{path}} > {out}'")
    ask(qtbot, real, "stop workers gracefully and let waiting tasks complete")
    QTest.keyClick(real.search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: out.exists() and out.read_text().endswith("\n"), timeout=PATIENCE_MS)
    line, path = out.read_text().strip().split(" ", 1)
    assert path.endswith("pool.go")
    assert 55 <= int(line) <= 65
    real.settings.set("editor_command", "")  # it is the indexer's, and the next tests have the same
    assert real.isVisible()  # the list survives opening a hit
    assert first(real) == "pool.go"


def test_moving_by_keyboard_shows_each_result(qtbot: QtBot, real: Window) -> None:
    ask(qtbot, real, "kind:note")
    seen = []
    for _ in range(3):
        QTest.keyClick(real.results, Qt.Key.Key_Down)
        hit = real.results.hit()
        assert hit is not None
        seen.append(hit.path)
        qtbot.waitUntil(
            lambda path=hit.path: real.preview.hit is not None and real.preview.hit.path == path
        )
    assert len(set(seen)) == 3


def test_filters_hold_and_nothing_is_said_plainly(qtbot: QtBot, real: Window) -> None:
    ask(qtbot, real, "kind:code retry")
    kinds = {real.model.hit(row).kind for row in range(real.model.rowCount())}  # type: ignore[union-attr]
    assert kinds == {"code"}
    ask(qtbot, real, 'kind:pdf "no such words anywhere"')
    qtbot.waitUntil(real.empty.isVisible, timeout=PATIENCE_MS)


def test_a_dropped_picture_finds_itself(
    qtbot: QtBot, real: Window, indexed: tuple[BaseDir, Path], tmp_path: Path
) -> None:
    original = indexed[1] / "Pictures" / "Screenshots" / "Screenshot 2026-03-14 10-22-31.png"
    dropped = Path(shutil.copy(original, tmp_path / "dropped.png"))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(dropped))])
    with qtbot.waitSignal(real.service.search_finished, timeout=PATIENCE_MS):
        real.ask.take_picture(data)
    assert first(real) == original.name


def test_problems_and_withheld_files_are_listed(qtbot: QtBot, real: Window) -> None:
    from desktop.index.panel import IndexPanel

    real.commands.run("problems")
    panel = real.commands._dialogs["index"]
    assert isinstance(panel, IndexPanel)
    model = panel.problems.list.model()
    qtbot.waitUntil(lambda: model.rowCount() >= 1, timeout=PATIENCE_MS)
    assert "broken.pdf" in {model.index(r, 0).data() for r in range(model.rowCount())}
    panel.show_tab("withheld")
    withheld = panel.withheld.list.model()
    qtbot.waitUntil(lambda: withheld.rowCount() >= 1, timeout=PATIENCE_MS)
    assert withheld.index(0, 0).data() == ".env"
    panel.close()


def test_explain_and_text_come_from_the_real_indexer(qtbot: QtBot, real: Window) -> None:
    ask(qtbot, real, "kind:note bread")
    real.commands.run("explain")
    from desktop.index.explanation_dialog import ExplanationDialog

    dialog = real.commands._dialogs["explain"]
    assert isinstance(dialog, ExplanationDialog)
    qtbot.waitUntil(lambda: "indexed" in dialog._sentence.text(), timeout=PATIENCE_MS)
    dialog.close()


needs_x = pytest.mark.skipif(
    not all(map(shutil.which, ("Xvfb", "xdotool"))), reason="needs Xvfb and xdotool"
)


def eventually(done: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.1)
    return False


@needs_x
def test_under_x_a_typed_question_opens_the_answer_with_enter(
    display: dict[str, str],
    indexed: tuple[BaseDir, Path],
    model: ScriptedModelServer,
    tmp_path: Path,
) -> None:
    base, out = indexed[0], tmp_path / "opened"
    editor = f"sh -c 'echo {{line}} {{path}} >> {out}'"
    change_settings(base, {"editor_command": editor, "close_to_tray": False})

    def windows() -> list[str]:
        done = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--class", "inkling"],
            env=display, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout.split()

    def keys(*arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=display, check=True)

    def answered() -> bool:
        # Enter opens what is first now; the names stage may not have the answer yet. A window that
        # was not ready when it was typed into has nothing to answer.
        keys("windowfocus", "--sync", windows()[0])
        keys("key", "ctrl+a")
        keys("type", "--delay", "20", "stop workers gracefully and let waiting tasks complete")
        for _ in range(10):
            keys("key", "Return")
            time.sleep(0.5)
            if out.exists() and "pool.go" in out.read_text():
                return True
        return False

    def asked() -> bool:
        keys("key", "ctrl+Return")
        time.sleep(0.5)
        return bool(model.asked)

    model.script = endless(model)
    inkling = [sys.executable, "-m", "desktop", "--base-dir", str(base.root)]
    program = subprocess.Popen(inkling, env=display)
    try:
        assert eventually(lambda: bool(windows())), "no window came up"
        assert eventually(answered)
        assert eventually(asked)
        keys("key", "Escape")
        assert model.gone.wait(PATIENCE)
        second = subprocess.run([*inkling, "--toggle"], env=display, check=False, timeout=PATIENCE)
        assert second.returncode == 0  # it spoke to the first one
        keys("key", "ctrl+q")
        eventually(lambda: program.poll() is not None, 5)
        if program.poll() is None:  # the toggle hid it: show it, then quit
            subprocess.run([*inkling, "--toggle"], env=display, check=False, timeout=PATIENCE)
            assert eventually(lambda: bool(windows()))
            keys("windowfocus", "--sync", windows()[0], "key", "ctrl+q")
        assert eventually(lambda: program.poll() is not None)
        assert program.returncode == 0
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
        change_settings(base, {"editor_command": "", "close_to_tray": True})
