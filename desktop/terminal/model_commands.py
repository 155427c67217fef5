"""`inkling model`: which models there are, their licences and weights, which one is used."""

from __future__ import annotations

import argparse
import os
import sys
import time
import urllib.parse
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from desktop.client import Client
from desktop.terminal import output
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir


def run_model_command(options: argparse.Namespace, base: BaseDir) -> int:
    """Do it; 0, or InklingError."""
    client = Client.connect(base)
    match options.action:
        case "list":
            _list(client, as_json=options.json)
        case "use":
            _use(client, options)
        case "download":
            answer = _post(client, "download", {"id": options.id}, options)
            if _row(answer, options.id)["available"]:
                print("It is here.")
            elif options.wait:
                _follow(client, options.id)
            else:
                print("Downloading; `inkling model list` shows how far it is.")
        case "add":
            path = os.path.abspath(os.path.expanduser(options.path))
            added = _post(client, "add", {"path": path}, options)["added"]
            print(f"Added. `inkling model use {added}` uses it.")
        case "remove":
            client.call("POST", "/v1/models/remove", {"id": options.id})
            print("Removed.")
    return 0


def _use(client: Client, options: argparse.Namespace) -> None:
    role = options.role
    model = "" if role == "sight" and options.id == "none" else options.id
    answer = _post(client, "use", {"id": model, "download": False, "role": role}, options)
    if not model:
        print("Pictures are found by their words and their look.")
    elif options.wait:
        _follow(client, options.id, role)
    elif role == "sight":
        print("Your pictures are being seen; what is seen is found from now on.")
        print("`inkling status` shows how far it is.")
    elif answer["next"]:
        print("The index is being built; until then the present one answers.")
        print("`inkling status` shows how far it is.")
    else:
        print("It is in use.")


def _post(
    client: Client, action: str, body: dict[str, Any], options: argparse.Namespace
) -> dict[str, Any]:
    """Ask for it, with the licence accepted if it has to be; a terminal is asked."""
    accepted = options.accept_licence
    if not accepted:
        model = body["id"] if "id" in body else _recognised(client, body["path"])
        row = next(
            (r for r in client.call("GET", "/v1/models")["models"] if r["id"] == model), None
        )
        if row is not None and not row["licence_accepted"]:
            accepted = _ask(row["notice"])
    return client.call("POST", f"/v1/models/{action}", {**body, "licence_accepted": accepted})


def _recognised(client: Client, path: str) -> str:
    """The model whose weights a folder holds; InklingError if it is none."""
    pairs = {"path": os.fsencode(path)}
    return str(client.call("GET", f"/v1/models/recognise?{urllib.parse.urlencode(pairs)}")["id"])


def _ask(notice: str) -> bool:
    """Show the licence and wait for yes; in a script that is --accept-licence's part."""
    if not sys.stdin.isatty():
        return False
    print(notice)
    if input("Do you accept it? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InklingError("The licence was not accepted; nothing was changed.")
    return True


def _row(answer: dict[str, Any], model: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in answer["models"] if row["id"] == model)
    return found


def _list(client: Client, *, as_json: bool) -> None:
    answer = client.call("GET", "/v1/models")
    if as_json:
        import json

        print(json.dumps(answer, indent=2))
        return
    for row in answer["models"]:
        roles = [name for name, key in (("reads", "in_use"), ("sees", "sees")) if row[key]]
        used = f" [green]in use: {' and '.join(roles)}[/]" if roles else ""
        output.console.print(f"[bold]{row['id']}[/]  {escape(row['title'])}{used}")
        output.console.print(f"    {escape(_about(row))}", style="dim")
        output.console.print(f"    {escape(row['licence'])}", style="dim")
        if row["activity"]:
            output.console.print(f"    {row['activity']}, {row['progress']:.0%}")
        if row["error"]:
            output.console.print(
                f"    [yellow]{escape(row['error']['message'])}[/] {escape(row['error']['hint'])}"
            )


def _about(row: dict[str, Any]) -> str:
    """Whether it is here, its size, its index."""
    parts = []
    if row["available"]:
        parts.append("comes with Inkling" if not row["bytes"] else _size(row["bytes"]))
    else:
        here = f", {_size(row['bytes'])} of them here" if row["bytes"] else ""
        parts.append(f"not here: {_size(row['download_bytes'])}{here}")
    if row["available"] and row["folder"]:
        parts.append(output.printable(row["folder"]))
    if row["index_bytes"]:
        parts.append(f"index {_size(row['index_bytes'])}")
    return ", ".join(parts)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _follow(client: Client, model: str, role: str = "text") -> None:
    """A bar until the model is downloaded, or in use; InklingError if that fails."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=output.console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        while True:
            answer = client.call("GET", "/v1/models")
            row = _row(answer, model)
            if row["activity"] is None:
                break
            bar.update(task, description=row["activity"].capitalize(), completed=row["progress"])
            if row["error"]:
                break
            time.sleep(0.3)
    if row["error"]:
        raise InklingError(row["error"]["message"], hint=row["error"]["hint"])
    used = row["sees"] if role == "sight" else row["in_use"]
    print("It is in use." if used else "It is here.")
