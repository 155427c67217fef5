"""The preview: places, boxes, regions, texts, find."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.presentation.thumbnails import Thumbnails
from desktop.preview.loading import SHOWN, Text
from desktop.preview.loading import window as window_of
from desktop.preview.pages import PagesView
from desktop.preview.pane import PreviewPane
from desktop.preview.quick_look import QuickLook
from desktop.window.window import Window
from engine.contract.codec import from_data
from engine.contract.types import Hit, Location
from tests.desktop.preview.previewing import PDF, orange, png, show
from tests.desktop.scripted_indexer import ScriptedIndexer, hit
from tests.waiting import PATIENCE


def test_a_page_is_shown_at_its_place_with_its_boxes(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    show(qtbot, pane, PDF)
    assert indexer.bodies("GET", "/v1/render")[0]["page"] == "2"
    assert pane.page == 2
    assert orange(pane, (0.1, 0.2, 0.5, 0.3))
    assert orange(pane, (0.6, 0.7, 0.9, 0.8))
    pane.strip.word_hovered.emit("beta")
    assert not orange(pane, (0.1, 0.2, 0.5, 0.3))
    assert orange(pane, (0.6, 0.7, 0.9, 0.8))
    pane.strip.word_hovered.emit(None)
    assert orange(pane, (0.1, 0.2, 0.5, 0.3))


def test_a_slow_answer_is_never_shown_as_another_files(
    qtbot: QtBot, pane: PreviewPane, service: IndexerConnection, indexer: ScriptedIndexer
) -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(_body: dict[str, object]) -> dict[str, str]:
        asked.set()
        go.wait(PATIENCE)
        return {"text": "of the first file"}

    indexer.answers["GET", "/v1/text"] = slow
    pane.show_hit(from_data(hit("/d/first.txt"), Hit))
    qtbot.waitUntil(asked.is_set)
    pane.show_hit(from_data(hit("/d/second.txt"), Hit))
    pane._rest.stop()  # as if it was chosen a moment ago: nothing is asked of it yet
    go.set()
    qtbot.waitUntil(lambda: not service._jobs._running)
    QApplication.processEvents()
    assert pane.loading
    assert pane._content is None
    assert "first" not in pane.text.toPlainText()


def test_a_picture_far_higher_than_wide_is_shown_at_its_match(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    long = QImage(500, 10_000, QImage.Format.Format_RGB32)
    long.fill(QColor("white"))
    box = {"type": "box", "box": [0.1, 0.5, 0.6, 0.51], "word": "x"}
    show(qtbot, pane, hit("/d/long.png", kind="screenshot", evidence=[box]))
    pane.picture.show_image(long, [((0.1, 0.5, 0.6, 0.51), "x")])
    seen = pane.picture.mapToScene(pane.picture.viewport().rect()).boundingRect()
    assert seen.width() < 2 * long.width()
    assert seen.top() < 5_000 < seen.bottom()
    pane.picture.fit()  # and whole, for who asks
    seen = pane.picture.mapToScene(pane.picture.viewport().rect()).boundingRect()
    assert seen.height() >= long.height()


def test_a_long_name_says_that_it_is_cut(qtbot: QtBot, pane: PreviewPane) -> None:
    pane.resize(260, 600)
    path = "/d/" + "a folder with a long name/" * 4 + "report " * 20 + ".pdf"
    show(qtbot, pane, {**PDF, "path": path})
    assert pane.width() == 260
    assert "…" in pane._name.shown()
    assert pane._name.shown().endswith(".pdf")
    assert pane._folder.shown().startswith("…")
    assert pane._name.text().count("report") == 20  # all of it, for who hears it


@pytest.mark.parametrize("found", [PDF, hit("/d/photo.jpg", kind="image")])
def test_a_dragged_rectangle_becomes_a_query_picture(
    qtbot: QtBot, pane: PreviewPane, found: dict[str, object]
) -> None:
    show(qtbot, pane, found)
    pane.set_region_mode(True)
    assert pane.bar._note.text() == s.REGION_HINT
    view = pane._pixels
    assert view is not None
    port = view.viewport()
    low, high = QPoint(150, 120), QPoint(350, 300)
    with qtbot.waitSignal(pane.region_chosen) as chosen:
        QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=low)
        QTest.mouseMove(port, low + QPoint(5, 5))
        QTest.mouseMove(port, high)
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=high)
    cut, image = chosen.args[0], pane.image()
    shown = (
        view.rect_of(2).width()
        if isinstance(view, PagesView)
        else view.transform().m11() * image.width()
    )
    assert abs(cut.width() / image.width() - 200 / shown) < 0.05
    assert abs(cut.height() / cut.width() - 0.9) < 0.05
    assert not pane.region_mode


def test_code_is_shown_at_its_lines(qtbot: QtBot, pane: PreviewPane, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("".join(f"def f{n}():\n    return {n}\n" for n in range(500)))
    found = hit(
        str(file),
        kind="code",
        location={"lines": [801, 802], "symbol": "f400"},
        snippet="def f400():\n    return 400",
        evidence=[{"type": "text", "start": 4, "end": 8, "word": "f400"}],
    )
    show(qtbot, pane, found)
    cursor = pane.text.textCursor()
    assert cursor.block().text() == "def f400():"
    first = pane.text.firstVisibleBlock().blockNumber()
    assert 760 < first <= 800
    marked = [sel.cursor.selectedText() for sel in pane.text.extraSelections()]
    assert "f400" in marked
    pane.text.grab()
    assert pane.text.document().findBlockByNumber(800).layout().formats()  # colours of that line


def test_a_long_file_is_cut_around_the_passage() -> None:
    text = "".join(f"line {n}\n" for n in range(1, 200_001))
    first, shown, cut = window_of(text, Location(lines=(150_000, 150_001)))
    assert cut
    assert len(shown) == SHOWN
    lines = shown.split("\n")
    assert lines[0] == f"line {first}"
    assert "line 150000" in lines
    assert window_of("short", Location(lines=(9, 9))) == (1, "short", False)


def test_other_formats_are_shown_as_indexed(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer, tmp_path: Path
) -> None:
    file = tmp_path / "a.docx"
    file.write_bytes(b"PK\0\0")
    indexer.answers["GET", "/v1/text"] = {"text": "What was in the document."}
    show(qtbot, pane, hit(str(file)))
    assert pane.text.toPlainText() == "What was in the document."


def test_what_cannot_be_shown_says_so_and_offers_to_open(qtbot: QtBot, pane: PreviewPane) -> None:
    show(qtbot, pane, hit("/nowhere/gone.txt"))
    assert pane.empty.isVisible()
    with qtbot.waitSignal(pane.open_wanted):
        pane.empty.button.click()
    show(qtbot, pane, hit("/nowhere/away.pdf", kind="pdf", offline=True))
    assert pane.empty.sentence == s.OFFLINE_LONG


def test_find_goes_round_and_says_when_there_is_nothing(
    qtbot: QtBot, pane: PreviewPane, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one two one\nthree\n")
    show(qtbot, pane, hit(str(file)))
    pane.start_find()
    assert pane.find_bar.field.hasFocus() or pane.find_bar.isVisible()
    QTest.keyClicks(pane.find_bar.field, "one")
    assert pane.text.textCursor().selectionStart() == 0
    QTest.keyClick(pane.find_bar.field, Qt.Key.Key_Return)
    assert pane.text.textCursor().selectionStart() == 8
    QTest.keyClick(pane.find_bar.field, Qt.Key.Key_Return)
    assert pane.text.textCursor().selectionStart() == 0
    pane.find_bar.field.setText("zzz")
    assert pane.find_bar._result.text() == s.FIND_NONE
    QTest.keyClick(pane.find_bar.field, Qt.Key.Key_Escape)
    assert not pane.find_bar.isVisible()


def test_only_the_row_rested_on_is_loaded(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    for n in range(20):
        pane.show_hit(from_data(hit(f"/d/{n}.pdf", kind="pdf"), Hit))
    qtbot.waitUntil(lambda: pane.has_picture)
    assert {b["path"] for b in indexer.bodies("GET", "/v1/render")} == {"/d/19.pdf"}


def test_quick_look_follows_arrows_and_closes_on_space(
    qtbot: QtBot, service: IndexerConnection, indexer: ScriptedIndexer
) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    owner.resize(800, 600)
    look = QuickLook(service, owner)
    look.show_hit(from_data(hit("/d/a.txt"), Hit))
    assert look.isVisible()
    with qtbot.waitSignal(look.stepped) as step:
        QTest.keyClick(look, Qt.Key.Key_Down)
    assert step.args == [1]
    with qtbot.waitSignal(look.opened):
        QTest.keyClick(look, Qt.Key.Key_Return)
    QTest.keyClick(look.pane.text, Qt.Key.Key_Space)
    assert not look.isVisible()


def test_no_file_is_parsed_on_the_interfaces_thread(
    qtbot: QtBot, pane: PreviewPane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from desktop.preview import loading

    file = tmp_path / "a.txt"
    file.write_text("x")
    seen: list[threading.Thread] = []
    plain = loading._read

    def spy(path: str) -> str | None:
        seen.append(threading.current_thread())
        return plain(path)

    monkeypatch.setattr(loading, "_read", spy)
    show(qtbot, pane, hit(str(file)))
    assert seen
    assert threading.main_thread() not in seen


def test_the_thumbnail_stands_enlarged_until_the_page_is_there(
    qtbot: QtBot, service: IndexerConnection, indexer: ScriptedIndexer
) -> None:
    go_on = threading.Event()

    def picture(target: str, query: dict[str, str]) -> bytes | None:
        if target == "/v1/thumb":
            return png(100, "#ff0000")
        go_on.wait(PATIENCE)
        return png(int(query["width"]), "#ffffff")

    indexer.pictures = picture
    thumbnails = Thumbnails(service.fetch_thumb)
    found = from_data(PDF, Hit)
    thumbnails.get(found)
    qtbot.waitUntil(lambda: thumbnails.get(found) is not None)
    pane = PreviewPane(service, None, thumbnails)
    qtbot.addWidget(pane)
    pane.resize(500, 600)
    pane.show()
    pane.show_hit(found)  # nothing is waited for: it is in the first frame
    assert pane.stands_in
    view = pane.pages
    assert view.rect_of(2).width() > 0.9 * view.viewport().width()
    assert orange(pane, (0.1, 0.2, 0.5, 0.3))
    with qtbot.waitSignal(pane.shown):
        go_on.set()
    assert not pane.stands_in
    assert view.image.width() > 400
    thumbnails.close()


def test_a_text_that_takes_long_is_said_to_be_loading(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    go_on = threading.Event()

    def text(_query: dict[str, str]) -> dict[str, str]:
        go_on.wait(PATIENCE)
        return {"text": "here it is"}

    indexer.answers["GET", "/v1/text"] = text
    pane.show_hit(from_data(hit("/d/letter.docx"), Hit))
    qtbot.waitUntil(lambda: pane._blank.isVisible() and pane._blank.text() == s.PREVIEW_LOADING)
    with qtbot.waitSignal(pane.shown):
        go_on.set()
    assert pane.text.toPlainText() == "here it is"


def test_an_offline_file_shows_what_is_known_and_offers_nothing_that_fails(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    indexer.answers["GET", "/v1/text"] = {"text": "as it was indexed"}
    show(qtbot, pane, hit("/media/stick/a.txt", offline=True))
    assert pane.text.toPlainText() == "as it was indexed"
    assert pane.bar._note.text() == s.OFFLINE_LONG
    show(qtbot, pane, hit("/media/stick/a.md", offline=True))
    assert pane.markdown.isVisible()
    show(qtbot, pane, {**PDF, "path": "/media/stick/b.pdf", "offline": True})
    assert pane.empty.sentence == s.OFFLINE_LONG
    assert not pane.empty.button.isVisible()


def test_the_strip_offers_only_places_where_one_is_not(qtbot: QtBot, pane: PreviewPane) -> None:
    def offered() -> list[str]:
        buttons = pane.strip.findChildren(QPushButton)
        return [b.text() for b in buttons if b.text().startswith("Page") and not b.isHidden()]

    show(qtbot, pane, PDF)
    assert offered() == ["Page 1"]
    pane.go_to(Location(page=1))
    assert offered() == ["Page 2"]


def test_a_passage_is_tinted_on_all_its_visual_lines(qtbot: QtBot, pane: PreviewPane) -> None:
    long = "word " * 200
    content = Text(f"before\n{long}\nafter", 1, (), code=False, markdown=False, cut=False)
    pane._stack.setCurrentWidget(pane.text)
    pane.text.show_text(content, Location(lines=(2, 2)), [])
    QApplication.processEvents()
    shot = pane.text.viewport().grab().toImage()
    accent = theme.of(pane.palette()).accent
    tinted = [y for y in range(shot.height()) if shot.pixelColor(1, y).name() == accent.name()]
    wrapped = pane.text.document().findBlockByNumber(1).layout().lineCount()
    assert wrapped > 3
    assert len(tinted) > (wrapped - 1) * pane.text.fontMetrics().lineSpacing() * 0.9
    assert tinted == list(range(tinted[0], tinted[-1] + 1))  # without gaps


def test_quick_look_walks_the_list_beside_links(
    qtbot: QtBot, service: IndexerConnection, window: Window
) -> None:
    look = QuickLook(service, window)
    steps: list[int] = []
    look.stepped.connect(steps.append)
    with qtbot.waitExposed(look):
        look.show_hit(from_data(PDF, Hit))
    assert look.pane.strip.isVisible()
    inside = look.focusWidget()
    assert not isinstance(inside, QPushButton)
    QTest.keyClick(inside or look, Qt.Key.Key_Down)
    link = look.pane.strip.findChildren(QPushButton)[0]
    link.setFocus()
    QTest.keyClick(link, Qt.Key.Key_Down)
    assert steps == [1, 1]
    look.close()


def test_details_have_room_for_every_line(qtbot: QtBot, pane: PreviewPane) -> None:
    path = "/d/" + "a folder with a long name/" * 8 + "report.pdf"
    show(qtbot, pane, {**PDF, "path": path, "lanes": ["text", "dense", "late"]})
    pane.details.show()
    pane.details.show_hit(pane.hit)  # another time: the rows before are gone

    def labels() -> dict[str, QLabel]:
        found = pane.details.findChildren(QLabel)
        return {label.text(): label for label in found if label.isVisible()}

    qtbot.waitUntil(lambda: path in labels() and "words + meaning" in labels())
    qtbot.waitUntil(
        lambda: all(one.height() >= one.heightForWidth(one.width()) for one in labels().values())
    )
