"""What GNOME Shell and KRunner ask, asked as they do: of the process, over a bus of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from engine.contract import launch
from engine.contract.paths import BaseDir
from engine.contract.types import Hit, Location
from tests.desktop.scripted_indexer import ScriptedIndexer, hit
from tests.waiting import PATIENCE, until

pytest.importorskip("dbus_fast")
from desktop.provider import described
from desktop.provider.result_id import hit_of, id_of
from desktop.system import integrating
from desktop.system.identity import BUS_NAME, OBJECT_PATH
from tests.desktop.at_spi import session_bus
from tests.desktop.session_bus import call, methods

GNOME = (BUS_NAME, OBJECT_PATH, "org.gnome.Shell.SearchProvider2")
KRUNNER = (BUS_NAME, OBJECT_PATH, "org.kde.krunner1")
BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
#: No text: a name as another system's archive may leave it.
ODD = "/home/ada/\udcff<b>bold & \n.md"


@dataclass
class Desktop:
    """A session in which Inkling answers searches."""

    address: str
    indexer: ScriptedIndexer
    base: BaseDir
    home: Path
    process: subprocess.Popen[bytes]

    def ask(self, to: tuple[str, str, str], member: str, *more: Any) -> Any:
        answer = call(self.address, to, member, *more)
        return answer[0] if answer else None

    def find(self, to: tuple[str, str, str], member: str, *more: Any) -> Any:
        """What is found: a busy machine may let the time pass before anything has come."""
        found: list[Any] = []

        def came() -> bool:
            found[:] = self.ask(to, member, *more)
            return bool(found)

        until(came, member)
        return found

    def opened(self) -> list[str]:
        """What was opened with the desktop's own program."""
        file = self.home / "opened"
        return file.read_text().splitlines() if file.exists() else []


def provider(base: BaseDir, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = launch.command("desktop", "serve-desktop", "--base-dir", str(base.root))
    return subprocess.Popen(command, env=launch.environment(environment))


def wait_for_name(address: str, process: subprocess.Popen[bytes]) -> None:
    def there() -> bool:
        assert process.poll() is None, "it has ended"
        return call(address, BUS, "NameHasOwner", "s", BUS_NAME) == [True]

    until(there, BUS_NAME)


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """One for all tests of the module; each scripts the indexer as it needs it."""
    home = tmp_path_factory.mktemp("desktop")
    (home / "bin").mkdir()
    opener = home / "bin" / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1 $XDG_ACTIVATION_TOKEN" >> {home}/opened\n')
    opener.chmod(0o755)
    environment = {
        **os.environ, "HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", "LANGUAGE": "en",
    }  # fmt: skip
    for name in ("VISUAL", "EDITOR"):
        environment.pop(name, None)
    base = BaseDir(home / "base").create()
    indexer = ScriptedIndexer(base)
    with session_bus(environment) as address:
        environment["DBUS_SESSION_BUS_ADDRESS"] = address
        process = provider(base, environment)
        try:
            wait_for_name(address, process)
            yield Desktop(address, indexer, base, home, process)
        finally:
            process.terminate()
            process.wait(PATIENCE)
            indexer.close()


@pytest.fixture(autouse=True)
def _nothing_scripted(desktop: Desktop) -> None:
    desktop.indexer.stages = lambda _body: []
    desktop.indexer.pictures = lambda _target, _query: None
    desktop.indexer.asked.clear()
    desktop.base.settings.unlink(missing_ok=True)


def answer(*hits: dict[str, Any], stage: str = "rescored") -> dict[str, Any]:
    return {"stage": stage, "hits": list(hits)}


def test_the_interfaces_are_as_published(desktop: Desktop) -> None:
    at = (BUS_NAME, OBJECT_PATH, "org.freedesktop.DBus.Introspectable")
    xml = desktop.ask(at, "Introspect")
    assert methods(xml, GNOME[2]) == {
        "GetInitialResultSet": ("as", "as"),
        "GetSubsearchResultSet": ("asas", "as"),
        "GetResultMetas": ("as", "aa{sv}"),
        "ActivateResult": ("sasu", ""),
        "LaunchSearch": ("asu", ""),
    }
    assert methods(xml, KRUNNER[2]) == {
        "Actions": ("", "a(sss)"),
        "Config": ("", "a{sv}"),
        "Match": ("s", "a(sssida{sv})"),
        "Run": ("ss", ""),
        "SetActivationToken": ("s", ""),
        "Teardown": ("", ""),
    }


def test_gnome_searches_and_shows(desktop: Desktop) -> None:
    boiler = hit(
        "/home/ada/Manuals/HX-40.pdf",
        kind="pdf",
        location={"page": 3},
        snippet="bleed\n the  valve",
    )
    desktop.indexer.stages = lambda _body: [answer(boiler, hit("/home/ada/b.md"))]
    found = desktop.find(GNOME, "GetInitialResultSet", "as", ["boiler", "valve"])
    assert len(found) == 2
    body, *_ = desktop.indexer.bodies("POST", "/v1/search")
    assert body["query"] == "boiler valve"
    again = desktop.find(GNOME, "GetSubsearchResultSet", "asas", found, ["boiler", "valves"])
    assert again == found
    first, second = desktop.ask(GNOME, "GetResultMetas", "as", found)
    assert first["id"] == found[0]
    assert first["name"] == "HX-40.pdf"
    assert first["description"] == "Page 3 · /home/ada/Manuals — bleed the valve"
    assert first["clipboardText"] == "/home/ada/Manuals/HX-40.pdf"
    assert first["gicon"].startswith(". GThemedIcon application-pdf ")
    assert second["name"] == "b.md"


def test_a_picture_stands_beside_what_has_one(desktop: Desktop) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (400, 200), "red").save(drawn, "PNG")
    desktop.indexer.pictures = lambda _target, _query: drawn.getvalue()
    desktop.indexer.stages = lambda _body: [answer(hit("/home/ada/a.png", kind="image"))]
    found = desktop.find(GNOME, "GetInitialResultSet", "as", ["red"])
    # A busy machine may let the time pass: what has no picture yet has an icon.
    metas: list[dict[str, Any]] = []

    def drawn_in_time() -> bool:
        metas[:] = desktop.ask(GNOME, "GetResultMetas", "as", found)
        return "icon-data" in metas[0]

    until(drawn_in_time)
    width, height, row, alpha, bits, channels, data = metas[0]["icon-data"]
    assert (width, height, row, alpha, bits, channels) == (96, 48, 384, True, 8, 4)
    assert bytes(data[:4]) == b"\xff\x00\x00\xff"
    assert len(data) == row * height


def test_names_that_are_no_text_and_look_like_markup(desktop: Desktop) -> None:
    desktop.indexer.stages = lambda _body: [answer(hit(ODD, snippet="<img src=x> a < b & c"))]
    (found,) = desktop.find(GNOME, "GetInitialResultSet", "as", ["bold"])
    (meta,) = desktop.ask(GNOME, "GetResultMetas", "as", [found])
    assert meta["name"] == "�‹b>bold & �.md"
    assert meta["description"] == "/home/ada — ‹img src=x> a < b & c"
    (match,) = desktop.find(KRUNNER, "Match", "s", "bold")
    assert match[1] == meta["name"]
    known = hit_of(found)
    assert known is not None
    assert known.path == ODD


def test_krunner_matches_and_runs(desktop: Desktop, tmp_path: Path) -> None:
    file = tmp_path / "a b.md"
    file.write_text("x")
    desktop.indexer.stages = lambda _body: [
        answer(hit(str(file), snippet="the valve"), hit("/gone.md"))
    ]
    first, second = desktop.find(KRUNNER, "Match", "s", "valve")
    identifier, text, icon, kind, relevance, properties = first
    assert (text, icon, kind) == ("a b.md", "text-markdown", 30)
    assert 1 > relevance > second[4] > 0
    assert properties["urls"] == [file.as_uri()]
    assert properties["subtext"].endswith("the valve")
    assert properties["category"] == "Inkling"
    (action,) = desktop.ask(KRUNNER, "Actions")
    assert action[:2] == ["window", "Show in Inkling"]
    assert desktop.ask(KRUNNER, "Config") == {"MinLetterCount": 2}
    desktop.ask(KRUNNER, "SetActivationToken", "s", "token-7")
    desktop.ask(KRUNNER, "Run", "ss", identifier, "")
    until(lambda: f"{file.as_uri()} token-7" in desktop.opened(), desktop.opened)
    desktop.ask(KRUNNER, "Teardown")


def test_a_result_is_opened_at_its_place(desktop: Desktop, tmp_path: Path) -> None:
    """Also one that an earlier process found: its id tells all."""
    file, out = tmp_path / "a.py", tmp_path / "out"
    file.write_text("x")
    desktop.base.settings.write_text(
        f"""editor_command = "sh -c 'echo {{line}} {{path}} > {out}'"\n"""
    )
    identifier = id_of(Hit(str(file), kind="code", location=Location(lines=(7, 9))))
    desktop.ask(GNOME, "ActivateResult", "sasu", identifier, ["x"], 0)
    until(lambda: out.exists() and out.read_text())
    assert out.read_text().strip() == f"7 {file}"


def test_ids_that_are_none_of_ours_open_nothing(desktop: Desktop) -> None:
    for odd in ("", "http://example.org/a", "file:relative", "file:///a%00b", "file:///a#page=x"):
        assert hit_of(odd) is None
        desktop.ask(GNOME, "ActivateResult", "sasu", odd, [], 0)
    assert desktop.ask(GNOME, "GetResultMetas", "as", ["nonsense"]) == []


def test_what_has_come_in_time_is_the_answer(desktop: Desktop) -> None:
    """Names answer at once, a model may be still waking up."""
    over = time.monotonic() + PATIENCE

    def stages(_body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield answer(hit("/home/ada/boat.md"), stage="names")
        while time.monotonic() < over:
            time.sleep(0.01)
        yield answer(hit("/home/ada/late.md"))

    desktop.indexer.stages = stages
    try:
        # While the last stage is still to come.
        found = desktop.find(GNOME, "GetInitialResultSet", "as", ["boat"])
        assert [one.path for one in map(hit_of, found) if one] == ["/home/ada/boat.md"]
    finally:
        over = 0.0


def test_too_little_is_not_asked(desktop: Desktop) -> None:
    assert desktop.ask(GNOME, "GetInitialResultSet", "as", ["a"]) == []
    assert desktop.ask(KRUNNER, "Match", "s", "  ") == []
    assert desktop.indexer.bodies("POST", "/v1/search") == []


def test_an_indexer_that_fails_is_no_error_of_the_shell(desktop: Desktop) -> None:
    endpoint = desktop.base.endpoint
    kept = endpoint.read_text()
    endpoint.write_text(json.dumps({**json.loads(kept), "token": "wrong"}))
    broken = {"stage": "rescored", "hits": 7}
    desktop.indexer.stages = lambda _body: [broken]
    try:
        assert desktop.ask(GNOME, "GetInitialResultSet", "as", ["boat"]) == []
    finally:
        endpoint.write_text(kept)
    desktop.indexer.stages = lambda _body: [answer(hit("/home/ada/boat.md"))]
    assert desktop.find(GNOME, "GetInitialResultSet", "as", ["boat"])


def test_where_there_is_no_index_nothing_is_started(desktop: Desktop, tmp_path: Path) -> None:
    """Not even a folder is made; and a second process leaves the name to the first."""
    none = BaseDir(tmp_path / "none")
    environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": desktop.address}
    assert provider(none, environment).wait(PATIENCE) == 0
    with session_bus(dict(os.environ)) as address:
        process = provider(none, {**os.environ, "DBUS_SESSION_BUS_ADDRESS": address})
        try:
            wait_for_name(address, process)
            assert call(address, GNOME, "GetInitialResultSet", "as", ["boat"]) == [[]]
            assert not none.root.exists()
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


def test_the_bus_starts_it_by_the_file_that_integrating_writes(base: BaseDir) -> None:
    integrating.write(base)
    with session_bus(dict(os.environ)) as address:
        assert call(address, GNOME, "GetInitialResultSet", "as", ["boat"]) == [[]]
        (process,) = call(address, BUS, "GetConnectionUnixProcessID", "s", BUS_NAME)
        started = psutil.Process(process)
    until(lambda: not started.is_running())  # it ends with the session


def test_icons_are_of_the_type() -> None:
    assert described.icon_names("/a/b.pdf") == (
        "application-pdf", "application-x-generic", "text-x-generic",
    )  # fmt: skip
    assert described.icon_names("/a/b") == ("text-x-generic",)
    assert described.pixels(b"no picture") is None
