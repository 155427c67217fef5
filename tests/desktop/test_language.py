"""The window's languages: catalogues that are complete, and a window that speaks one."""

from __future__ import annotations

import ast
import datetime as dt
import gettext
import json
import os
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from desktop.wording import figures, language, telling
from engine.contract import errors
from engine.contract.errors import InklingError
from engine.contract.settings import SETTINGS
from engine.contract.types import Coverage
from resources.setup import write_catalogues

CATALOGUES = {path.parents[1].name: path for path in write_catalogues.catalogues()}


def fields(text: str) -> set[str | None]:
    """What is filled in; a sentence that only tells of braces is not filled."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_catalogue_is_complete_and_of_today(code: str) -> None:
    path = CATALOGUES[code]
    with path.open("rb") as file:
        catalogue = {one.id: one for one in read_po(file) if one.id}
    assert set(catalogue) == set(write_catalogues.messages()), "run `make translations`"
    with path.with_suffix(".mo").open("rb") as file:
        shipped = gettext.GNUTranslations(file)

    def compiled(message: str | tuple[str, str], form: int) -> str:
        if isinstance(message, str):
            return shipped.gettext(message)
        return shipped.ngettext(*message, (1, 2)[form])

    for message, translated in catalogue.items():
        assert not translated.fuzzy, message
        one = isinstance(message, str)
        originals = (message,) if one else message
        strings = (translated.string,) if one else translated.string
        assert all(strings), f"not translated: {message}"
        for text in strings:
            wanted = {name for original in originals for name in fields(original)}
            assert fields(text) == wanted, message
            assert text.endswith(("…", ":", ".", "?")) == message_ends(originals[0]), message
            assert compiled(message, strings.index(text)) == text, "run `make translations`"


def message_ends(text: str) -> bool:
    return text.endswith(("…", ":", ".", "?"))


def test_there_is_a_choice_for_every_language_there_is() -> None:
    offered = {value for value, _ in SETTINGS["language"].choices}
    assert offered == {language.LIKE_SYSTEM, *language.available()}
    assert {language.SOURCE, *CATALOGUES} == set(language.available())


#: Builds what the window consists of and prints every word in it.
_WINDOW = """
import json, sys
from collections.abc import Iterator
from pathlib import Path
from desktop.wording import language
language.choose(sys.argv[2])
from PySide6.QtWidgets import (QAbstractButton, QComboBox, QLabel, QLineEdit, QDialogButtonBox,
                               QListWidget, QMenu, QWidget)
from PySide6.QtGui import QAction
from desktop.app import application
from desktop.connection import IndexerConnection
from desktop.index.panel import IndexPanel
from desktop.settings.dialog import SettingsDialog
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.window.shortcut_page import ShortcutPage
from desktop.window.window import Window
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from desktop.wording import figures
from desktop import strings as s

base = BaseDir(Path(sys.argv[1])).create()
settings = Settings.load(base)
app = application(settings)
service = IndexerConnection(base)
client = SettingsClient(base, settings, service)
window = Window(base, client, State.load(base.root), service)
window.show()
dialogs = [SettingsDialog(client, window), ShortcutPage(window), IndexPanel(service, window)]
said = set()
for root in (window, *dialogs):
    for one in (root, *root.findChildren(QWidget)):
        said |= {one.toolTip(), one.accessibleName(), one.accessibleDescription()}
        said.add(one.windowTitle())
        if isinstance(one, QLabel | QAbstractButton):
            said.add(one.text())
        if isinstance(one, QLineEdit):
            said.add(one.placeholderText())
        if isinstance(one, QComboBox):
            said |= {one.itemText(place) for place in range(one.count())}
        if isinstance(one, QListWidget):
            said |= {one.item(place).text() for place in range(one.count())}
        if isinstance(one, QMenu):
            said.add(one.title())
    said |= {action.text() for action in root.findChildren(QAction)}
box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
told = {"said": sorted(said), "cancel": box.buttons()[0].text(), "files": s.files(1234),
        "size": figures.size(1_500_000), "day": figures.short_date(1_700_000_000),
        "language": language.current(),
        "hours": figures.left(7200), "search": window.search.field.placeholderText()}
window.shut_down()
print(json.dumps(told))
"""


def window_in(tmp_path: Path, chosen: str = "system", **environment: str) -> dict[str, object]:
    """What a window of its own process says."""
    clean = {k: v for k, v in os.environ.items() if k not in ("LANG", "LC_ALL", "LC_MESSAGES")}
    ran = subprocess.run(
        [sys.executable, "-c", _WINDOW, str(tmp_path / "base"), chosen],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return told


def test_a_window_of_a_german_system_speaks_german_throughout(tmp_path: Path) -> None:
    told = window_in(tmp_path, LANGUAGE="de")
    assert told["language"] == "de"
    assert told["search"] == "Gesuchte Datei beschreiben"
    assert told["files"] == "1.234 Dateien"
    assert told["size"] == "1,5 MB"
    assert told["day"] == "14. Nov. 2023"
    assert told["hours"] == "noch 2 Stunden"
    assert str(told["cancel"]).replace("&", "") == "Abbrechen"  # Qt's own word
    with CATALOGUES["de"].open("rb") as file:
        translated = {
            one.id
            for one in read_po(file)
            if one.id and isinstance(one.id, str) and one.id != one.string
        }
    said = told["said"]
    assert isinstance(said, list)
    english = {
        line for text in said for line in text.replace("&", "").split("\n") if line in translated
    }
    assert english == set()
    assert len(said) > 200


def test_what_is_chosen_counts_more_than_the_system(tmp_path: Path) -> None:
    told = window_in(tmp_path, "en", LANGUAGE="de")
    assert (told["language"], told["files"], told["size"]) == ("en", "1,234 files", "1.5 MB")


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        (["de-Latn-DE", "de-DE", "de"], "de"),
        (["de_AT", "en"], "de"),
        (["en-GB", "de-DE"], "en"),  # not the first of which there is a catalogue
        (["fr", "de"], "de"),
        (["fr"], "en"),
        (["C"], "en"),
        ([], "en"),
    ],
)
def test_the_first_language_that_there_is(wanted: list[str], spoken: str) -> None:
    assert language.first_of(wanted) == spoken


def test_an_error_keeps_what_it_was_filled_from() -> None:
    error = InklingError(
        "No {thing} at {place}.", hint="Look {place}.", told={"thing": "{", "place": 1}
    )
    assert (error.message, error.hint) == ("No { at 1.", "Look 1.")
    assert telling.said(error) == "No { at 1. Look 1."  # as it came: there is no such sentence
    plain = InklingError("{path} stays.")
    assert telling.said(plain) == str(plain) == "{path} stays."


def test_counts_of_what_is_not_read_yet_are_worded_here() -> None:
    told = Coverage(1200, 200, 1000, False, "1,000 of 1,200 files are not read yet.")
    assert telling.covered(told) == "1,000 of 1,200 files are not read yet."


def test_dates_are_as_short_as_they_stay_clear() -> None:
    now = dt.datetime(2026, 3, 18, 12)
    moments = {
        dt.datetime(2026, 3, 18, 9, 5): "09:05",
        dt.datetime(2026, 3, 17, 23): "Yesterday",
        dt.datetime(2026, 3, 15, 8): "Sunday",
        dt.datetime(2026, 1, 3, 8): "3 Jan",
        dt.datetime(2024, 1, 3, 8): "3 Jan 2024",
    }
    for when, text in moments.items():
        assert figures.short_date(when.timestamp(), now) == text
    assert figures.long_date(dt.datetime(2024, 1, 3, 8, 4).timestamp()) == "3 January 2024, 08:04"
    assert figures.short_date(1e300) == figures.long_date(1e300) == ""


def _calls_of_errors() -> Iterator[tuple[str, ast.Call]]:
    for path in write_catalogues._modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                made = getattr(errors, write_catalogues._name(node.func), None)
                if isinstance(made, type) and issubclass(made, InklingError):
                    yield f"{path.name}:{node.lineno}", node


def test_every_error_can_be_worded_in_another_language() -> None:
    """What is written into a sentence comes beside it, in `told`."""
    known = set(write_catalogues.messages())
    for where, call in _calls_of_errors():
        for part in [*call.args[:1], *(k.value for k in call.keywords if k.arg == "hint")]:
            assert not isinstance(part, ast.JoinedStr | ast.BinOp), where
            if isinstance(part, ast.Constant) and part.value:
                assert part.value in known or part is not call.args[0], where


def test_every_hint_of_a_command_has_another_for_the_window() -> None:
    for sentence in write_catalogues._of_errors():
        assert "`" not in str(sentence) or sentence in telling.IN_WINDOW


def test_errors_are_the_same_in_another_process() -> None:
    error = InklingError("{a} is {b}.", hint="Try {a}.", path="/x", told={"a": "One", "b": 2})
    again = InklingError.of(json.loads(json.dumps(error.as_data())))
    assert (str(again), again.path) == ("One is 2. Try One.", "/x")
    assert (again.template, again.hint_template) == (error.template, error.hint_template)
    plain = InklingError.of(InklingError("A set {x}.", hint="h").as_data())
    assert (plain.message, plain.told) == ("A set {x}.", None)


def test_no_hint_in_the_window_speaks_of_the_command_line() -> None:
    for command, here in telling.IN_WINDOW.items():
        assert "`" not in here
        error = InklingError("x", hint=command)
        assert telling.said(error) == f"x {here}"
        assert telling.here(command) == here
        assert command in set(write_catalogues.messages())  # it is still said so
