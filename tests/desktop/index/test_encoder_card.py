"""The encoder's section of the models' page, and what the status line says of it."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.index.encoder_card import EncoderCard
from desktop.presentation import model_strings as ms
from desktop.window.status_line import StatusLine

NOTHING = {"encoded": 0, "per_second": 0.0}
FAR: dict[str, Any] = {
    "address": "https://workstation:8424", "host": "workstation", "local": False, "state": "ready",
    "to_confirm": "", "error": None, "here": NOTHING, "there": NOTHING, "weights_here": True,
}  # fmt: skip


def test_it_is_confirmed_by_its_name_and_says_how_it_goes(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    card = EncoderCard(parent)
    parent.show()
    assert card.state.text() == ms.ENCODER_WHY
    assert not card.leave.isVisible()
    card.address.setText(" https://workstation:8424 ")
    card.token.setText("inkling_x")
    with qtbot.waitSignal(card.use_wanted) as used:
        card.use.click()
    assert used.args == ["https://workstation:8424", "inkling_x"]
    card.show_encoder({**FAR, "to_confirm": "workstation", "state": "unconfirmed"})
    assert "workstation is another computer" in card.state.text()
    assert card.typed.isVisible()
    card.typed.setText("another")
    assert not card.confirm.isEnabled()
    card.typed.setText("Workstation")
    with qtbot.waitSignal(card.confirm_wanted) as confirmed:
        card.confirm.click()
    assert confirmed.args == ["Workstation"]
    card.show_encoder(FAR)
    assert not card.typed.isVisible()
    assert "as soon as" in card.state.text()
    used_there = {"encoded": 40, "per_second": 8.5}
    card.show_encoder({**FAR, "there": used_there, "weights_here": False})
    assert "40 so far, 8.5 a second" in card.state.text()
    assert ms.ENCODER_QUESTIONS in card.state.text()
    away = {"message": "The encoder at workstation can't be reached.", "hint": ""}
    card.show_encoder({**FAR, "error": away})
    assert "can't be reached" in card.state.text()
    with qtbot.waitSignal(card.leave_wanted):
        card.leave.click()


def test_the_status_line_says_it_ever_after(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    line = StatusLine(parent)
    parent.show()
    for told, said in (
        (FAR, "Encoded at workstation"),
        ({**FAR, "state": "away"}, "Encoded at workstation"),
        ({**FAR, "local": True}, ""),
        ({**FAR, "to_confirm": "workstation"}, ""),
        ({}, ""),
    ):
        line.show_status({"state": "idle", "totals": {}, "model": {"encoding": told}})
        assert (line.encoder.text(), line.encoder.isVisible()) == (said, bool(said))
