"""`inkling ask`: an answer sentence by sentence, its sources, and what can be asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from rich.text import Text

from desktop.client import Client, HangUp
from desktop.terminal import output
from engine.contract.asking import host_to_confirm
from engine.contract.errors import InklingError
from engine.contract.notices import worded
from engine.contract.paths import BaseDir
from engine.contract.types import Notice

#: Exit status when nothing was found, or nothing can be asked.
NOTHING_FOUND = 1


def run_ask(options: argparse.Namespace, base: BaseDir) -> int:
    """Ask, and show the answer as it comes."""
    if options.servers:
        return _show_servers(Client.connect(base), as_json=options.json)
    question = " ".join(options.question)
    if not question:
        raise InklingError("There is no question.", hint='Try `inkling ask "…"`.')
    body = {"question": question, "plain": options.plain}
    body |= {"model": options.model or "", "server": options.server or ""}
    client = Client.connect(base)
    try:
        return _answer(client, body, options)
    except InklingError as error:
        host = host_to_confirm(error)
        if not host or options.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise
        _confirm(client, host, options.server)
    return _answer(client, body, options)


def _confirm(client: Client, host: str, server: str | None) -> None:
    """Have the person type the name of another machine; InklingError unless it is that."""
    shown = output.printable(host)
    output.console.print(
        Text(f"{shown} is another machine. What the answer rests on, passages and pictures of your")
    )
    output.console.print("files, is sent there, now and with every later question.")
    named = server or client.call("GET", "/v1/settings")["values"]["ask_server"]
    if not named.strip().lower().startswith("https://"):
        output.console.print("It is sent unencrypted.", style="yellow")
    typed = input("Type its name to confirm that, or press Return to stop: ")
    if not typed.strip():
        raise InklingError("Nothing was asked.", hint="Nothing was sent anywhere, either.")
    if server:
        client.call("PATCH", "/v1/settings", {"ask_server": server})
    client.call("POST", "/v1/ask/confirm", {"host": typed})


def _answer(client: Client, body: dict[str, Any], options: argparse.Namespace) -> int:
    with closing(client.ask(body, HangUp())) as events:  # type: ignore[type-var]
        show = _print_events if options.json else _show_events
        return show(events, options)


def _print_events(events: Iterator[dict[str, Any]], options: argparse.Namespace) -> int:
    found = failed = None
    for event in events:
        print(json.dumps(event), flush=True)
        found = event if event["event"] == "found" else found
        failed = event if event["event"] == "failed" else failed
    if failed is not None:
        raise InklingError.of(failed["error"])
    return NOTHING_FOUND if found is not None and found["weak"] else 0


def _show_events(events: Iterator[dict[str, Any]], options: argparse.Namespace) -> int:
    """Sentences as they are proven: a terminal can't take a draft back."""
    found: dict[str, Any] = {}
    cited = dict[int, bool]()
    for event in events:
        kind = event["event"]
        if kind == "found":
            found = event
            _show_found(event)
        elif kind == "sentence":
            _show_sentence(event, first=not cited)
            for citation in event["citations"]:
                number = citation["number"]
                cited[number] = cited.get(number, False) or citation["doubtful"]
        elif kind == "finished":
            _show_end(event, found, cited, options)
        elif kind == "failed":
            output.console.print()
            _show_sources(found, cited, options)
            raise InklingError.of(event["error"])
    return NOTHING_FOUND if found.get("weak") else 0


def _show_notices(event: dict[str, Any]) -> None:
    for row in event["notices"]:
        if known := worded(Notice(row["code"], row["told"])):
            output.console.print(Text(known[0], style="yellow"))


def _show_found(event: dict[str, Any]) -> None:
    _show_notices(event)
    if event["weak"]:
        output.console.print("Nothing matches well; no model was asked.", style="yellow")
    elif not event["local"]:
        output.console.print(Text(f"Asked: {output.printable(event['server'])}", style="yellow"))


def _show_sentence(event: dict[str, Any], *, first: bool) -> None:
    before = event["before"].lstrip() if first else event["before"] or " "
    line = Text(_shown(before + event["text"]))
    for citation in event["citations"]:
        doubt = "?" if citation["doubtful"] else ""
        style = "yellow" if citation["doubtful"] else "cyan"
        line.append(f" [{citation['number']}{doubt}]", style=style)
    output.console.print(line, end="")
    output.console.file.flush()


def _show_end(
    event: dict[str, Any],
    found: dict[str, Any],
    cited: dict[int, bool],
    options: argparse.Namespace,
) -> None:
    if event["ending"] == "nothing":
        return
    if cited:
        output.console.print("\n")
    _show_sources(found, cited, options)
    if dropped := event["dropped"]:
        said = "1 sentence" if dropped == 1 else f"{dropped} sentences"
        output.console.print(f"{said} had no source.", style="yellow")
    if any(cited.values()):
        output.console.print(Text("[…?]: what was said may not stand there.", style="yellow"))
    _show_notices(event)
    if event["ending"] == "length":
        output.console.print("The answer was cut off: its room was full.", style="yellow")


def _show_sources(
    found: dict[str, Any], cited: dict[int, bool], options: argparse.Namespace
) -> None:
    """Those that are cited; with `--sources` all, with what the model was given of them."""
    for source in found.get("sources", ()):
        if source["number"] not in cited and not options.sources:
            continue
        hit = source["hit"]
        line = Text(f"[{source['number']}] ", style="cyan")
        line.append(output.printable(hit["path"]) + output.address(hit["location"]), style="bold")
        output.console.print(line)
        if options.sources:
            given = {"text": "", "picture": "its picture", "both": "its picture, and "}
            shown = given[source["given"]] + _shown(source["text"])
            output.console.print(Text("\n".join(f"    {row}" for row in shown.splitlines())))


def _show_servers(client: Client, *, as_json: bool) -> int:
    told = client.call("GET", "/v1/ask/servers")
    if as_json:
        print(json.dumps(told, indent=2))
        return 0 if told["server"] else NOTHING_FOUND
    if told["error"]:
        raise InklingError.of(told["error"])
    for server in told["servers"]:
        _show_server(server, asked=server["url"] == told["server"])
    if told["server"]:
        output.console.print(Text(f"Asked: {_shown(told['model'])} at {_shown(told['server'])}"))
        return 0
    if not told["servers"]:
        output.console.print("No server with a language model is found on this machine.")
    output.console.print("How to get one:")
    for way in told["how_to"]:
        output.console.print(Text(f"  {way['name']} ({way['url']})", style="bold"))
        for command in way["commands"]:
            output.console.print(Text(f"    {command}"))
    return NOTHING_FOUND


def _show_server(server: dict[str, Any], *, asked: bool) -> None:
    line = Text(_shown(server["url"]), style="bold" if asked else "")
    line.append(f"  {server['name']}" if server["name"] else "")
    line.append("" if server["local"] else "  another machine", style="yellow")
    output.console.print(line)
    if error := server["error"]:
        said = InklingError.of(error)
        output.console.print(
            Text(f"    {_shown(said.message)} {_shown(said.hint)}", style="yellow")
        )
    for model in server["models"]:
        facts = ["sees"] if model["sees"] else []
        facts += [f"{model['context']:,} tokens"] if model["context"] else []
        more = f"  {', '.join(facts)}" if facts else ""
        output.console.print(Text(f"    {_shown(model['id'])}").append(more, style="dim"))


def _shown(text: str) -> str:
    """What others wrote, without what a terminal obeys; lines stay."""
    safe = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in safe)
