"""Documents in the preview: scrolled through, turned, zoomed, searched."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.preview.pages import PagesView
from desktop.preview.pane import PreviewPane
from engine.contract.codec import from_data
from engine.contract.types import Hit, Location
from tests.desktop.preview.previewing import PDF, orange, png, show
from tests.desktop.scripted_indexer import ScriptedIndexer, hit


def test_pages_are_turned_to_the_end_and_not_beyond(qtbot: QtBot, pane: PreviewPane) -> None:
    show(qtbot, pane, PDF)
    pane.turn(1)
    assert pane.page == 3
    assert pane.location == Location(page=3)
    assert not orange(pane, (0.1, 0.2, 0.5, 0.3))  # the boxes belong to page 2
    assert pane.bar._page.text() == s.page_of(3, 3)
    assert not pane.bar._next.isEnabled()
    pane.turn(1)
    assert pane.page == 3
    pane.strip.place_chosen.emit(Location(page=1))  # another place of the file, a click away
    assert pane.page == 1
    pane.turn(1)
    assert pane.page == 2
    assert orange(pane, (0.1, 0.2, 0.5, 0.3))


def test_a_document_is_scrolled_through_and_drawn_where_it_is_looked_at(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    """40 pages, of which the third is lower than the others, and the fifth is broken."""
    drawn: list[int] = []

    def picture(_target: str, query: dict[str, str]) -> bytes | None:
        page, width = int(query["page"]), int(query["width"])
        drawn.append(page)
        if page == 5:
            return None
        return png(width, "#ffffff", pages=40, height=width // 2 if page == 3 else None)

    indexer.pictures = picture
    show(qtbot, pane, PDF)
    view = pane.pages
    qtbot.waitUntil(lambda: view.kept == [1, 2, 3])
    assert drawn[0] == 2  # the found one first, then what is next to it
    assert orange(pane, (0.1, 0.2, 0.5, 0.3))  # where it was, though a page above is drawn now
    assert view.rect_of(3).height() < view.rect_of(2).height()
    while pane.page != 4:
        QTest.keyClick(view, Qt.Key.Key_PageDown)
    assert (pane.page, pane.bar._page.text()) == (4, s.page_of(4, 40))
    assert pane.location == Location(page=4)
    qtbot.waitUntil(lambda: 5 in drawn)
    bar = view.verticalScrollBar()
    before = len(drawn)
    for place in range(bar.value(), bar.maximum(), 100):  # through all of it, without a rest
        bar.triggerAction(bar.SliderAction.SliderMove)
        bar.setValue(place)
    QTest.keyClick(view, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: {39, 40} <= set(view.kept))
    assert len(drawn) - before < 8  # those flown over were not asked for
    assert pane.page == 40
    assert drawn.count(5) <= 1
    held = sum(view._images[page].sizeInBytes() for page in view.kept)
    assert held <= 24_000_000
    pane.go_to(Location(page=2))
    qtbot.waitUntil(lambda: view.kept[0] <= 2)
    assert orange(pane, (0.1, 0.2, 0.5, 0.3))
    pane.resize(700, 500)  # all pages become wider
    qtbot.waitUntil(lambda: view.rect_of(2).width() > 600)
    assert orange(pane, (0.1, 0.2, 0.5, 0.3))


def test_what_is_looked_at_stays_where_pages_above_turn_out_lower(qtbot: QtBot) -> None:
    view = PagesView()
    qtbot.addWidget(view)
    view.resize(400, 500)
    view.show()
    tall = QImage(400, 600, QImage.Format.Format_RGB32)
    view.show_document(tall, 4, 9, lambda _page: [])
    view.wheelEvent(_wheel(view, -120))  # somebody scrolls, and has chosen a place
    before = view.rect_of(4).top()
    for page in (3, 2):
        view.take(page, QImage(400, 150, QImage.Format.Format_RGB32))
    assert view.rect_of(3).height() < 200
    assert abs(view.rect_of(4).top() - before) <= 1
    view.zoom(2, 0.0)
    assert view.rect_of(4).width() > 500
    view.fit()
    assert view.rect_of(4).width() < 400
    view.fit()  # asked for again: a page whole
    assert view.rect_of(4).height() < 500


def _wheel(view: QWidget, turned: int) -> QWheelEvent:
    at = QPointF(view.rect().center())
    none = Qt.KeyboardModifier.NoModifier
    turn = QPoint(0, turned)
    phase = Qt.ScrollPhase.NoScrollPhase
    return QWheelEvent(at, at, QPoint(), turn, Qt.MouseButton.NoButton, none, phase, False)


def test_find_turns_to_the_next_page_that_has_the_words(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    pages = {"1": "Nothing here", "2": "The Propane\n sensor", "3": "propane SENSOR again"}
    indexer.answers["GET", "/v1/explain"] = {"units": [{"page": int(p)} for p in pages]}
    indexer.answers["GET", "/v1/text"] = lambda query: {"text": pages[query["page"]]}
    show(qtbot, pane, PDF)
    pane.start_find()
    QTest.keyClicks(pane.find_bar.field, "propane sensor")
    for expected in (3, 2, 3):
        QTest.keyClick(pane.find_bar.field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda page=expected: pane.page == page)
    assert pane.find_bar._result.text() == "on 2 pages"


def test_zooming_in_asks_for_more_pixels(qtbot: QtBot, pane: PreviewPane) -> None:
    show(qtbot, pane, PDF)
    first = pane.image().width()
    for _ in range(6):
        pane.zoom(1)
    qtbot.waitUntil(lambda: pane.image().width() > first)
    pane.zoom(0)
    assert pane.pages.rect_of(2).width() <= pane.pages.width()
    photo = hit("/d/photo.jpg", kind="image")
    show(qtbot, pane, photo)
    for _ in range(8):
        pane.zoom(1)
    qtbot.waitUntil(lambda: pane.image().width() > 2 * first)


def test_better_evidence_of_a_later_stage_keeps_zoom(
    qtbot: QtBot, pane: PreviewPane, indexer: ScriptedIndexer
) -> None:
    show(qtbot, pane, {**PDF, "evidence": []})
    pane.zoom(1)
    wide = pane.pages.rect_of(2).width()
    qtbot.waitUntil(lambda: pane.pages.kept == [1, 2, 3])
    pane.show_hit(from_data(PDF, Hit))
    assert pane.pages.rect_of(2).width() == wide
    assert pane.pages.kept == [1, 2, 3]
