"""`inkling judge` and `inkling evaluate`: a person's own questions, what answers them, how well."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from desktop.client import Client
from desktop.terminal.output import printable
from engine.contract.errors import InklingError
from engine.contract.judgements import read_lines
from engine.contract.paths import BaseDir


def run_judge(options: argparse.Namespace, base: BaseDir) -> int:
    """Say that a file answers a question, or does not; without arguments what was said."""
    client = Client.connect(base)
    if options.clear:
        client.call("DELETE", "/v1/judgements")
        print("Forgotten.")
        return 0
    if options.question is None:
        _list(client.call("GET", "/v1/judgements")["judgements"], as_json=options.json)
        return 0
    if options.path is None:
        raise InklingError("The file is missing.", hint="`inkling judge QUESTION FILE`")
    body = {
        "question": options.question,
        "path": os.path.abspath(os.path.expanduser(options.path)),
        "page": options.page,
        "right": None if options.forget else not options.wrong,
    }
    count = client.call("POST", "/v1/judgements", body)["judged"]
    said = "1 answer is judged." if count == 1 else f"{count} answers are judged."
    print(said if options.forget else f"Noted. {said}")
    return 0


def _list(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for row in found:
        page = "" if row["page"] is None else f", page {row['page']}"
        mark = "+" if row["right"] else "-"
        print(f"{mark} {printable(row['question'])}\n    {printable(row['path'])}{page}")


def run_evaluate(options: argparse.Namespace, base: BaseDir) -> int:
    """Figures of each model; with --fit the ranker is fitted, with --shipped that is undone."""
    client = Client.connect(base)
    if options.shipped:
        changed = client.call("DELETE", "/v1/evaluate")["changed"]
        print("Ranked as Inkling comes." if changed else "It was ranked as Inkling comes.")
        return 0
    questions = [] if options.file is None else _read(Path(options.file))
    told = client.call("POST", "/v1/evaluate", {"questions": questions, "fit": options.fit})
    if options.json:
        print(json.dumps(told, indent=2))
        return 0
    print(f"{told['questions']} questions")
    print(f"{'':28s}{'nDCG@10':>9s}{'hit@10':>9s}{'median ms':>11s}")
    for row in told["models"]:
        _line(row["model"] + (" (in use)" if row["in_use"] else ""), row["shipped"], row)
        if row["own"] is not None:
            _line("  with your ranker", row["own"])
        if row["fitted"] is not None:
            _line("  fitted, tried on others", row["fitted"])
    if options.fit:
        print("Ranked by your questions from now on; `inkling evaluate --shipped` undoes it.")
    return 0


def _line(name: str, told: dict[str, float], row: dict[str, Any] | None = None) -> None:
    took = "" if row is None else f"{row['median_ms']:11.1f}"
    print(f"{name:28s}{told['ndcg_at_10']:9.4f}{told['hit_at_10']:9.4f}{took}")


def _read(file: Path) -> list[dict[str, Any]]:
    """Judgements of a file, one a line; paths in it are as seen from its folder."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise InklingError(
            f"{printable(str(file))} can't be read: {error.strerror}.", hint="Check the path."
        ) from error
    full = [line for line in lines if line.strip()]
    found = list(read_lines(full))
    if len(found) < len(full) or not found:
        raise InklingError(
            f"{printable(str(file))} holds {len(full) - len(found)} lines that are no judgement.",
            hint='Each is as {"question": "…", "path": "…", "page": 3, "right": true}; page and'
            " right may be left out.",
        )
    folder = file.absolute().parent
    return [
        {
            "question": one.question,
            "path": os.path.normpath(folder / os.path.expanduser(one.path)),
            "page": one.page,
            "right": one.right,
        }
        for one in found
    ]
