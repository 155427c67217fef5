"""A notice of an answer is one line with the one action that helps."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from desktop.presentation import model_strings as ms
from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer, hit


def test_it_stands_above_the_rows_and_leads_to_what_helps(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    said = {"code": "language", "told": {"model": "MiniLM", "language": "de"}}
    indexer.stages = lambda _body: [
        {"hits": [hit("/x/a.txt")], "stage": "rescored", "notices": [said]}
    ]
    window.search.set_text("wie backe ich ein Brot")
    notice = window.answers.notice
    qtbot.waitUntil(lambda: notice.isVisible())
    assert "MiniLM" in notice.label.text()
    assert "German" in notice.label.text()
    assert notice.button.text() == ms.NOTICES["language"][1]
    asked: list[str] = []
    window.answers.action_wanted.disconnect()
    window.answers.action_wanted.connect(asked.append)
    notice.button.click()
    assert asked == ["models"]
    assert all(row[2] in window.actions_by_id for row in ms.NOTICES.values())


def test_where_nothing_is_found_it_stands_in_place_of_rows_and_of_tomorrow_s_nothing_is_said(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    rows = [{"code": "of-tomorrow", "told": {}}, {"code": "no-folders", "told": {}}]
    indexer.stages = lambda _body: [{"hits": [], "stage": "rescored", "notices": rows}]
    window.search.set_text("anything")
    qtbot.waitUntil(lambda: window.answers.empty.sentence == ms.NOTICES["no-folders"][0])


def test_an_offer_to_take_back_stays_when_the_search_ends(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    indexer.stages = lambda _body: [{"hits": [hit("/x/a.txt")], "stage": "rescored"}]
    offered = []

    def offer(_stage: object) -> None:  # as by a key that is pressed in this moment
        window.offer("moved", "trash", "Undo", lambda: None)
        offered.append(True)

    window.service.stage_arrived.connect(offer)
    with qtbot.waitSignal(window.service.search_finished):
        window.search.set_text("a")
    assert offered
    assert window.notice.label.text() == "moved"
