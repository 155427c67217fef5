"""The command line's own part: pauses, starting with the session, what a terminal shows."""

from __future__ import annotations

import configparser
import datetime as dt
import re
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.system import autostart
from desktop.terminal import cli, options, output
from engine.contract.codec import to_data
from engine.contract.errors import FileState, InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Hit

NOW = dt.datetime(2025, 3, 29, 22, 15)
NOTHING_READ: dict[str, Any] = {"coverage": {}, "read": [], "given_up": "", "spelling": ""}


def pause(*arguments: str) -> float | None:
    return cli._pause_seconds(options.parser().parse_args(["pause", *arguments]), NOW)


class TestSearch:
    @pytest.mark.parametrize(
        ("typed", "words", "limit"),
        [
            ("report -draft", "report -draft", 10),
            ("tar -xzf --limit 3 archive", "tar -xzf archive", 3),
            ("-draft --limit=3 report", "-draft report", 3),
            ("--limit 3 -- --limit 4", "--limit 4", 3),
            ("-5 degrees - outside", "-5 degrees - outside", 10),
        ],
    )
    def test_what_is_no_option_is_a_word(self, typed: str, words: str, limit: int) -> None:
        told = options.parser().parse_args(["search", *typed.split()])
        assert (" ".join(told.query), told.limit) == (words, limit)

    def test_a_misspelt_option_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            options.parser().parse_args(["search", "report", "--limt", "3"])
        assert "--limt" in capsys.readouterr().err


class TestPause:
    def test_until_resumed(self) -> None:
        assert pause() is None

    def test_for_minutes(self) -> None:
        assert pause("--minutes", "90") == 5400
        assert pause("--minutes", "0.001") == 1.0

    def test_until_seven_in_the_morning(self) -> None:
        assert pause("--until", "tomorrow") == (8 * 60 + 45) * 60

    def test_until_a_time_today_or_tomorrow(self) -> None:
        assert pause("--until", "23:00") == 45 * 60
        assert pause("--until", "06:15") == 8 * 3600

    @pytest.mark.parametrize(
        "arguments",
        [["--minutes", "0"], ["--minutes", "-3"], ["--minutes", "nan"], ["--minutes", "1e9"],
         ["--until", "noon"], ["--until", "25:00"], ["--until", ""]],
    )  # fmt: skip
    def test_what_can_not_be(self, arguments: list[str]) -> None:
        with pytest.raises(InklingError) as caught:
            pause(*arguments)
        assert caught.value.hint

    def test_not_both(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            pause("--minutes", "3", "--until", "tomorrow")
        assert caught.value.code == options.FAILED
        assert "not allowed with" in capsys.readouterr().err


def run(base: BaseDir, *arguments: str) -> int:
    return cli.main(["--base-dir", str(base.root), *arguments])


class TestAutostart:
    def test_on_status_off(
        self, base: BaseDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = autostart.entry_file()
        assert file.is_relative_to(Path.home())
        assert run(base, "autostart", "status") == 0
        assert capsys.readouterr().out.startswith("Off")
        assert run(base, "autostart", "on") == 0
        assert file.exists()
        assert capsys.readouterr().out.startswith("On:")
        assert Settings.load(base).start_with_session
        assert run(BaseDir(tmp_path / "other"), "autostart", "status") == 0
        assert "another base directory" in capsys.readouterr().out
        assert run(base, "autostart", "off") == 0
        assert not file.exists()
        assert not Settings.load(base).start_with_session
        assert run(base, "autostart", "off") == 0

    @pytest.mark.skipif(sys.platform != "linux", reason="desktop entries are for Linux")
    @pytest.mark.parametrize("name", ["plain", "a dir", 'quo"te', "back\\slash", "$HOME `id` 100%"])
    def test_the_entry_starts_exactly_this_command(self, tmp_path: Path, name: str) -> None:
        base = tmp_path / name
        autostart.set_enabled(True, base)
        entry = configparser.RawConfigParser()
        entry.read(autostart.entry_file(), encoding="utf-8")
        assert entry["Desktop Entry"]["Type"] == "Application"
        assert as_desktops_read(entry["Desktop Entry"]["Exec"]) == autostart.command(base)

    @pytest.mark.skipif(sys.platform != "linux", reason="XDG is for Linux")
    def test_the_folder_is_the_one_the_desktop_names(
        self, base: BaseDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        assert run(base, "autostart", "on") == 0
        assert (tmp_path / "config" / "autostart" / "inkling.desktop").exists()

    def test_a_folder_that_can_not_be_written(
        self, base: BaseDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        (tmp_path / "config").write_text("a file where the folder should be")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setenv("APPDATA", str(tmp_path / "config"))
        if sys.platform == "darwin":
            pytest.skip("the folder can't be moved there")
        assert run(base, "autostart", "on") == options.FAILED
        assert "Starting with the session" in capsys.readouterr().err
        assert not Settings.load(base).start_with_session


def as_desktops_read(line: str) -> list[str]:
    """Exec by the Desktop Entry Specification 1.5: escapes, then quotes, then field codes."""
    line = re.sub(r"\\(.)", lambda m: {"s": " ", "n": "\n", "t": "\t"}.get(m[1], m[1]), line)
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"(?: |$)', line)
    return [re.sub(r'\\(["`$\\])', r"\1", part).replace("%%", "%") for part in quoted]


class TestWhatATerminalShows:
    def shown(self, answer: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
        output.show_explanation(answer)
        return capsys.readouterr().out

    def test_an_explained_query_has_a_row_for_each_lane(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lanes = {"text": {"rank": 3, "score": 1.23456}, "name": None, "dense": None, "late": None}
        answer = {
            "path": "/d/a.md",
            "state": "done",
            "sentence": "",
            "units": [{"page": 2, "text": "[bold]Tea[/] is\nserved " * 20}] * 40,
            "query": {**lanes, "fused": {"rank": 2, "score": 0.5}, "rescored": None,
                      "shares": {"text": 0.2, "name": 0.15, "dense": 1.0, "late": 1.0}},
        }  # fmt: skip
        text = self.shown(answer, capsys)
        assert re.search(r"exact words +3 +1\.235 +0\.20\b", text)
        assert re.search(r"words of its name +– +– +0\.15", text)
        assert "page 2: [bold]Tea[/] is served" in text
        assert "40 passages" in text
        assert text.count("\n") < 30

    def test_control_characters_of_a_file_never_reach_the_terminal(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answer = {
            "path": "/d/\x1b[31mred\udcff",
            "state": "failed",
            "sentence": "It is damaged.",
            "detail": "\x1b]0;title\x07",
            "rule": "\x1b[2J",
            "units": [{"text": "\x1b[2Jgone"}],
        }
        text = self.shown(answer, capsys)
        assert "\x1b" not in text
        assert "\x07" not in text

    def test_a_snippet_is_one_paragraph_without_control_characters(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        hit = {
            "path": "/d/a.md", "location": {"lines": [3, 3]}, "kind": "note", "mtime": 0,
            "offline": False, "snippet": "one\n\n   two\x1b[2J three",
            "evidence": [{"type": "text", "start": 0, "end": 3}], "more": [],
            "state": "done", "reason": "",
        }  # fmt: skip
        output.show_answer({"hits": [hit], "weak": False, "loose": False, **NOTHING_READ})
        text = capsys.readouterr().out
        assert "one two�[2J three" in text
        assert "line 3" in text
        output.show_answer({"hits": [hit], "weak": True, "loose": True, **NOTHING_READ})
        assert "Nothing holds the quoted words" in capsys.readouterr().out
        told = {"weak": False, "loose": False, **NOTHING_READ, "matches": 1}
        output.show_answer({"hits": [hit, hit], **told})
        assert capsys.readouterr().out.count("Also similar:") == 1
        output.show_answer({"hits": [hit], **told})
        assert "Also similar" not in capsys.readouterr().out
        output.show_answer(
            {"hits": [hit], "weak": False, "loose": False, **NOTHING_READ, "spelling": "[b]udget"}
        )
        assert "Also searched for “[b]udget”." in capsys.readouterr().out
        output.show_answer(
            {
                "hits": [hit],
                "weak": False,
                "loose": False,
                **NOTHING_READ,
                "picture_words": "a [b] dog",
                "coverage": {"pictures": 3},
            }
        )
        assert "by its look, and by its words “a [b] dog”." in capsys.readouterr().out
        said = {**NOTHING_READ, "picture_words": "a page", "coverage": {"pictures": 0}}
        output.show_answer({"hits": [hit], "weak": False, "loose": False, **said})
        assert "Asked by its words “a page”." in capsys.readouterr().out
        said["picture_words"] = "label " * 100
        output.show_answer({"hits": [hit], "weak": False, "loose": False, **said})
        assert "label label …”." in capsys.readouterr().out

    def test_what_was_read_as_a_filter_stands_on_one_line(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        read = [
            {"words": "screenshots of", "filter": "kind:screenshot"},
            {"words": "last\x1b[2J week", "filter": "date:2026-03-01..2026-03-08"},
        ]
        answer = {"hits": [], "weak": False, "loose": False, **NOTHING_READ, "read": read}
        output.show_answer(answer)
        line = capsys.readouterr().out.splitlines()[0]
        assert "“screenshots of” = kind:screenshot" in line
        assert "week” = date:2026-03-01..2026-03-08" in line
        assert "--plain" in line
        assert "\x1b[2J" not in line
        output.show_answer({**answer, "given_up": "nothing"})
        line = capsys.readouterr().out.splitlines()[0]
        assert "No file meets them" in line
        assert "--plain" not in line
        assert options.parser().parse_args(["search", "--plain", "last", "week"]).plain

    @pytest.mark.parametrize(
        ("state", "reason", "said"),
        [
            ("done", "", None),
            ("pending", "", "has not been read yet"),
            ("skipped", "unsupported", "does not read this type"),
            ("failed", "encrypted", "protected by a password"),
            ("withheld", "secret-name", "Its name says that it holds secrets"),
            ("failed", "of-a-newer-indexer", "not indexed"),
        ],
    )
    def test_a_file_found_by_its_name_alone_says_why(
        self, capsys: pytest.CaptureFixture[str], state: str, reason: str, said: str | None
    ) -> None:
        hit = to_data(Hit("/d/a.bin", state=cast(FileState, state), reason=reason))
        output.show_answer({"hits": [hit], "weak": False, "loose": False, **NOTHING_READ})
        shown = capsys.readouterr().out
        assert "/d/a.bin" in shown
        assert ("found by its name alone" in shown) == (said is not None)
        assert said is None or said in shown
