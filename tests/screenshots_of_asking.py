"""The screens of asking, for `tests.screenshots`."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.scripted_model_server import ScriptedModelServer, said

if TYPE_CHECKING:
    from desktop.app import Application
    from tests.screenshots import Camera


def take_asking(camera: Camera, whole: Application) -> None:
    """Answers in sentences, of a server that says what it is told; then without one."""
    window, go = whole.window, threading.Event()
    answering = window.answering
    with ScriptedModelServer(lambda body: _answers(body, go)) as server:
        server.models["data"][0] |= {"id": "qwen2.5vl:7b", "max_model_len": 16_384}
        _set(camera, whole, {"ask_server": server.url, "ask_model": ""})
        window.search.set_text(ASKED)
        camera.answered()
        window.commands.run("ask")
        camera.until(lambda: "you must" in answering.panel.view.toPlainText())
        camera.take("ask-streaming")
        go.set()
        camera.until(lambda: not answering.running)
        answering.show_numbered(1)
        camera.answered()
        camera.take("ask")
        answering.follow_up("does the code go away by itself?")
        camera.until(lambda: not answering.running)
        camera.take("ask-follow-up")
        size = window.size()
        window.resize(600, 480)
        camera.take("ask-small")
        window.resize(size)
        window.commands.run("given")
        camera.take("ask-given", window.commands._dialogs["given"])
        window.commands._dialogs["given"].close()
    window.commands.run("new_question")  # asked again, the same one would come back as it was
    _set(camera, whole, {"ask_server": ""})
    window.search.set_text(ASKED)
    camera.answered()
    window.commands.run("ask")
    camera.until(lambda: not answering.panel.reads)
    camera.take("ask-no-model")
    answering.leave()


ASKED = "what to do when the heating machine gives a gas alarm"
#: By words of the question what is said to it; `None`: the picture is taken here.
_SAID: dict[str, tuple[str | None, ...]] = {
    "gas alarm": (
        "H01 means that the leak sensor has found propane in the air [1]. ",
        "It means that you must", None, " go out:\n\n",
        "- leave the house [1]\n- do not touch switches [1]\n"
        "- call the fire brigade from outside [1]\n\n",
        "The maker sends somebody in Lisbon within the hour [1]. Good luck!",
    ),
    "go away": ("F and H stay until somebody confirms them [1].",),
}  # fmt: skip


def _answers(body: dict[str, Any], go: threading.Event) -> Iterator[Any]:
    asked = json.dumps(body["messages"][-1])
    for text in next((texts for word, texts in _SAID.items() if word in asked), ("None. [1]",)):
        if text is None:
            go.wait(20)
        else:
            for word in re.findall(r"\s*\S+\s*", text):
                yield from said(word, ending=None)
    yield from said("")


def _set(camera: Camera, whole: Application, values: dict[str, str]) -> None:
    """Until the indexer has it."""
    for key, value in values.items():
        whole.settings.set(key, value)
    camera.until(lambda: not whole.settings._waiting)
