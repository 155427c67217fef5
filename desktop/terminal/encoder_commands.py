"""`inkling encoder`: encoding on another machine, or on this one alone."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.markup import escape

from desktop.client import Client
from desktop.terminal import output
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir


def run_encoder(options: argparse.Namespace, base: BaseDir) -> int:
    """Do it; 0, or InklingError."""
    client = Client.connect(base)
    match options.action:
        case "status":
            told = client.call("POST", "/v1/encoder/test", {})
        case "local":
            told = client.call("POST", "/v1/encoder/local", {})
        case _:
            told = _use(client, options)
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        _show(told)
    return 0


def _use(client: Client, options: argparse.Namespace) -> dict[str, Any]:
    body = {
        "address": options.address,
        "token": _read(options.token_file).strip(),
        "authority": _read(options.ca),
        "model": options.model,
    }
    told = client.call("POST", "/v1/encoder/use", body)
    if not (host := told.get("to_confirm")):
        return told
    typed = options.confirm
    if typed is None and sys.stdin.isatty() and not options.json:
        shown = output.printable(host)
        print(f"{shown} is another machine. The passages and pictures of your files are sent there")
        print("to be encoded, now and whenever files change; with models that are not awake here,")
        print("your questions, too.")
        typed = input("Type its name to confirm that, or press Return to stop: ")
    if not (typed or "").strip():
        raise InklingError(
            "Nothing is sent there before it is confirmed.", hint=f"Give --confirm {host}."
        )
    return client.call("POST", "/v1/encoder/confirm", {"host": typed})


def _read(path: str | None) -> str:
    if path is None:
        return ""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InklingError(
            f"{path} can't be read: {getattr(error, 'strerror', None) or error}.",
            hint="Check the path.",
            path=path,
        ) from error


def _show(told: dict[str, Any]) -> None:
    """Where, what is served, at what rate."""
    if not told.get("address"):
        print("Encoding happens on this machine alone.")
        return
    print(f"Encoder: {output.printable(told['address'])}")
    if serves := told.get("serves"):
        device = f", on its {serves['device']}" if serves["device"] else ""
        print(f"It serves {output.printable(serves['title'])}{device}.")
    if error := told.get("error"):
        output.console.print(f"[yellow]{escape(error['message'])}[/] {escape(error['hint'])}")
    for place, words in (("there", "there"), ("here", "on this machine")):
        done = told[place]
        if done["encoded"]:
            print(f"Encoded {words}: {done['encoded']}, {done['per_second']:g} a second of late.")
    if not told["weights_here"]:
        print("The model's weights are not on this machine: questions go there, too.")
