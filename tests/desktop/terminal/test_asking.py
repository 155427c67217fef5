"""What `inkling ask` shows of an answer's events."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.terminal import asking, options
from engine.contract.asking import (
    Citation,
    Event,
    Failed,
    Finished,
    Found,
    Sentence,
    Source,
    host_to_confirm,
    unconfirmed,
)
from engine.contract.codec import to_data
from engine.contract.errors import InklingError
from engine.contract.types import Hit, Location

SOURCES = (
    Source(1, "1:0", Hit("/n/offer.pdf", location=Location(page=3)), "900 euros"),
    Source(2, "2:0", Hit("/n/a.py", location=Location(lines=(4, 9))), "def\x1b[31m a"),
    Source(3, "3:0", Hit("/n/\x1b]0;x.md"), "unused"),
)


def shown(capsys: pytest.CaptureFixture[str], *events: Event, arguments: str = "") -> str:
    told = options.parser().parse_args(["ask", "x", *arguments.split()])
    rows: list[dict[str, Any]] = [to_data(event) for event in events]
    asking._show_events(iter(rows), told)
    return capsys.readouterr().out


def test_only_what_is_cited_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(
        capsys,
        Found(SOURCES, "m", "http://127.0.0.1:1/v1"),
        Sentence("It costs 900 euros.", citations=(Citation(1, 0.9),)),
        Sentence("It is sent.", before="\n- ", citations=(Citation(1), Citation(2, 0.1, True))),
        Finished("complete", dropped=1, doubtful=1),
    )
    assert out == (
        "It costs 900 euros. [1]\n- It is sent. [1] [2?]\n\n"
        "[1] /n/offer.pdf:page 3\n[2] /n/a.py:4–9\n"
        "1 sentence had no source.\n[…?]: what was said may not stand there.\n"
    )


def test_all_that_was_given_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, Found(SOURCES), Finished("length"), arguments="--sources")
    assert "    900 euros" in out
    assert "[3] " in out
    assert "its room was full" in out
    assert "\x1b" not in out


def test_another_machine_is_named_above_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, Found(SOURCES, "m", "https://far.example:443/v1", local=False))
    assert out == "Asked: https://far.example:443/v1\n"


def test_what_was_proven_stands_before_what_went_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = InklingError("It stopped.", hint="Ask again.")
    events = (Found(SOURCES), Sentence("It costs 900.", citations=(Citation(1),)))
    with pytest.raises(InklingError, match="It stopped"):
        shown(capsys, *events, Failed(error.as_data()))
    assert capsys.readouterr().out.startswith("It costs 900. [1]\n[1] /n/offer.pdf:page 3")


def test_an_error_that_asks_for_a_name_is_known_by_it() -> None:
    passed_on = InklingError.of(unconfirmed("far.example").as_data())
    assert host_to_confirm(passed_on) == "far.example"
    assert host_to_confirm(InklingError("x", told={"host": "y"})) == ""
    assert host_to_confirm(InklingError("x")) == ""
