"""`inkling archive`: which other indexes are asked beside this machine's, and what one archive of
record holds."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from desktop.client import Client
from desktop.terminal.archive_export import run_export
from engine.contract.archives import FAULTS, OTHER_MODEL, REMEDIES
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir

GOES_THERE = (
    "What you search for goes there as text, with its filters; no file of yours does, and no"
    " picture that you search with."
)


def run_archive_command(options: argparse.Namespace, base: BaseDir) -> int:
    """Do it; 0, or InklingError."""
    if options.action == "export":
        return run_export(options)
    client = Client.connect(base)
    match options.action:
        case "list":
            _show(client.archives(), as_json=options.json)
        case "add":
            token = _token(options.token_file)
            authority = os.path.abspath(options.authority) if options.authority else ""
            client.add_archive(options.name, options.url, token, authority)
            print(f"Added: {options.name} is asked from now on. {GOES_THERE}")
        case "remove":
            client.remove_archive(options.name)
            print("Removed, and its token with it.")
    return 0


def _token(path: str | None) -> str:
    """From a file, or as typed; never of the command line, which others can read."""
    if path is None:
        if not sys.stdin.isatty():
            raise InklingError("There is no token.", hint="Give a file of it with --token-file.")
        return getpass.getpass("Token: ")
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise InklingError(f"{path} can't be read: {said}.", hint="Check the path.") from error


def _show(archives: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(archives))
        return
    if not archives:
        print("No archive is asked. `inkling archive add NAME URL` adds one.")
    for one in archives:
        print(f"{one['name']}  {one['url']}  {one['title']}".rstrip())
        for code, sentence in FAULTS.items():
            if code == one["fault"]:
                print(f"    {sentence.format(name=one['name'])} {REMEDIES[code]}")
        if not one["fault"] and not one["judged"]:
            print(f"    {OTHER_MODEL.format(model=one['model'])}")
