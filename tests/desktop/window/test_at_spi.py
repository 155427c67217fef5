"""The real window by a screen reader's eyes: roles, names, states and actions over D-Bus."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from desktop import strings as s
from desktop.asking import strings as asking
from desktop.state import State
from engine.contract.paths import BaseDir
from tests.desktop.asking.scripts import answer, said, source
from tests.desktop.scripted_indexer import ScriptedIndexer, hit
from tests.waiting import PATIENCE

at_spi = pytest.importorskip("tests.desktop.at_spi", reason="needs dbus-fast")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(at_spi.missing()), reason=f"without {at_spi.missing()}"),
]


def one(nodes: list[at_spi.Node], role: str, name: str) -> at_spi.Node:
    """The one thing of this role and name."""
    found = [node for node in nodes if (node.role, node.name) == (role, name)]
    assert len(found) == 1, [(node.role, node.name) for node in nodes]
    return found[0]


def named(nodes: list[at_spi.Node], name: str) -> bool:
    return any(node.name == name for node in nodes)


def answered(nodes: list[at_spi.Node]) -> bool:
    """The rows and their count: what is read one after the other may change between."""
    rows = [node for node in nodes if node.role == "list item"]
    return named(nodes, s.files(2)) and [row.has(at_spi.SELECTED) for row in rows] == [True, False]


async def use(reader: at_spi.Reader) -> None:
    """An hour of somebody who hears the window, in a few seconds."""
    home = await reader.until(lambda nodes: named(nodes, "kept one"))
    field = one(home, "text", s.SEARCH_NAME)
    assert field.has(at_spi.FOCUSED)
    assert field.description == s.SEARCH_PLACEHOLDER
    for chip in (s.KIND, s.FOLDER, s.DATE):
        assert one(home, "push button", chip).description == s.OPENS_MENU
    assert one(home, "push button", "kept one").description == s.SEARCH_IS_KEPT
    recent = one(home, "push button", "train ticket")
    assert recent.description == s.SEARCH_IS_RECENT
    everything_has_a_name(home)

    await reader.press(recent)
    asked = await reader.until(answered)
    assert await reader.read(field) == "train ticket"
    rows = [node for node in asked if node.role == "list item"]
    assert [row.name.split(",")[0] for row in rows] == ["a.pdf", "b.txt"]
    assert "a passage" in rows[0].name
    assert [row.has(at_spi.SELECTED) for row in rows] == [True, False]
    assert one(asked, "label", s.files(2))
    assert one(asked, "push button", s.ORDERS["relevance"]).description == s.OPENS_MENU

    await reader.press(one(asked, "push button", asking.ASK))
    sourced = await reader.until(lambda nodes: any(_is_cited(node) for node in nodes))
    assert "a.pdf" in next(node.name for node in sourced if _is_cited(node))
    (answered_in,) = (node for node in sourced if node.name == asking.ANSWER)
    assert "It leaves at noon.\u202f\u202f[1?]" in await reader.read(answered_in)
    everything_has_a_name(sourced)

    await reader.write(field, "kind:pdf ext:pdf ticket")
    filtered = await reader.until(lambda nodes: named(nodes, f"{s.KIND}: PDFs"))
    ending = one(filtered, "push button", f"{s.CHIP_KEYS['ext']} pdf")
    assert s.REMOVE_CHIP in ending.description
    await reader.press(ending)
    await reader.until(lambda nodes: not named(nodes, ending.name))
    assert "ext:" not in await reader.read(field)

    await reader.press(one(filtered, "push button", s.problems(1)))
    panel = await reader.until(lambda nodes: any("It is broken." in node.name for node in nodes))
    assert one(panel, "page tab", f"{s.TAB_PROBLEMS} (1)").has(at_spi.SELECTED)
    (problem,) = (node for node in panel if "It is broken." in node.name)
    assert problem.role == "list item"
    assert problem.description == s.BY_ENTER.format(action=s.RETRY)
    assert one(panel, "push button", s.RETRY_ALL).has(at_spi.ENABLED)
    everything_has_a_name(panel)


def _is_cited(node: at_spi.Node) -> bool:
    return node.role == "list item" and node.name.startswith("Source 1, cited")


def everything_has_a_name(nodes: list[at_spi.Node]) -> None:
    """What Tab can reach says what it is."""
    reached = {"push button", "check box", "text", "list", "list item", "page tab", "combo box"}
    dumb = [node for node in nodes if node.role in reached and not node.name.strip()]
    assert dumb == []


def test_a_screen_reader_gets_the_window_over_the_session_bus(
    base: BaseDir, indexer: ScriptedIndexer, display: dict[str, str]
) -> None:
    state = State.load(base.root)
    state.onboarded, state.history, state.saved = True, ["train ticket"], ["kept one"]
    state.save()
    found = [hit("/d/a.pdf", kind="pdf", snippet="a passage"), hit("/d/b.txt")]
    indexer.stages = lambda _body: [{"hits": found, "stage": "rescored"}]
    told = [source(1, "/d/a.pdf", "It leaves at one.")]
    indexer.events = lambda _body: answer(told, said("It leaves at noon.", -1, before=""))
    indexer.status["totals"] = {"files": 3, "done": 2, "pending": 0, "failed": 1}
    broken = {"path": "/d/c", "state": "failed", "sentence": "It is broken.", "retry": True}
    indexer.answers["GET", "/v1/problems"] = lambda query: {
        "problems": [broken] if query["state"] == "failed" else [], "counts": {"failed": 1},
    }  # fmt: skip
    with at_spi.session_bus(display) as session:
        variables = {"DBUS_SESSION_BUS_ADDRESS": session, "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"}
        window = subprocess.Popen(
            [sys.executable, "-m", "desktop", "--base-dir", str(base.root)], env=display | variables
        )
        try:

            async def run() -> None:
                async with at_spi.reader(session) as reader:
                    await use(reader)

            asyncio.run(run())
        finally:
            window.terminate()
            window.wait(PATIENCE)
