"""The command line: the same searches for terminals and scripts."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from desktop.client import Client
from desktop.terminal import output
from desktop.terminal.archive_commands import run_archive_command
from desktop.terminal.model_commands import run_model_command
from desktop.terminal.options import FAILED, complain, parser
from engine.contract.agent_log import AgentLog
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir, base_dir

Command = Callable[[argparse.Namespace, BaseDir], int]

#: Exit status when a search found nothing, as grep has it.
NOTHING_FOUND = 1
#: A year: what the indexer takes.
MOST_MINUTES = 366 * 24 * 60


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 success, 1 nothing found, 2 an error (told on stderr)."""
    options = parser().parse_args(arguments)
    try:
        base = base_dir(options.base_dir)
        return COMMANDS[options.command](options, base)
    except InklingError as error:
        sys.stdout.flush()
        complain(error.message, error.hint)
        return FAILED
    except BrokenPipeError:  # `inkling search … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def add_folders(options: argparse.Namespace, base: BaseDir) -> int:
    for path in options.paths:
        if not Path(_absolute(path)).is_dir():
            raise InklingError(
                f"{path} is not a folder.", hint="Give folders that exist.", path=path
            )
    client = Client.connect(base)
    client.add([_absolute(path) for path in options.paths])
    if options.wait:
        output.show_progress(client)
    else:
        print("Watching. Names are searchable in seconds; `inkling status` shows the rest.")
    return 0


def search_files(options: argparse.Namespace, base: BaseDir) -> int:
    if options.limit < 1:
        raise InklingError("--limit must be at least 1.", hint="For example --limit 10.")
    image = _absolute(options.image) if options.image else None
    text = " ".join(options.query)
    if not text and image is None:
        raise InklingError("There is nothing to search for.", hint='Try `inkling search "…"`.')
    filters = {"kinds": [options.kind]} if options.kind else None
    client = Client.connect(base)
    # A terminal can't take a line back: only the last stage is printed.
    *_, answer = client.search(
        text, image=image, limit=options.limit, filters=filters, plain=options.plain
    )
    return _print_answer(answer, options)


def ask_question(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.asking import run_ask

    return run_ask(options, base)


def similar_files(options: argparse.Namespace, base: BaseDir) -> int:
    answer = Client.connect(base).similar(_absolute(options.file), options.limit)
    return _print_answer(answer, options)


def _print_answer(answer: dict[str, Any], options: argparse.Namespace) -> int:
    if options.json:
        _print_json(answer)
    else:
        output.show_answer(answer)
    return 0 if answer["hits"] else NOTHING_FOUND


def show_status(options: argparse.Namespace, base: BaseDir) -> int:
    client = Client.find(base)
    status = client.status() if client else {"state": "stopped", "folders": []}
    if options.json:
        _print_json(status)
    else:
        output.show_status(status)
    return 0


def show_problems(options: argparse.Namespace, base: BaseDir) -> int:
    client = Client.connect(base)
    asked = {"reason": options.reason, "rule": options.rule}
    only = {name: value for name, value in asked.items() if value is not None}
    found = client.problems(**only)
    if options.retry:
        known = [p["path"] for p in found["problems"] if p["state"] != "left-out"]
        chosen = known if only else None
        files = client.retry(chosen)["files"]
        print(f"{_files(files)} tried again." if files else "There is nothing to try again.")
        return 0
    if options.json:
        _print_json(found)
    elif only:
        output.show_listed(found["problems"])
    else:
        output.show_problems(found)
    return 0


def explain_file(options: argparse.Namespace, base: BaseDir) -> int:
    image = _absolute(options.image) if options.image else None
    answer = Client.connect(base).explain(_absolute(options.file), options.query, image)
    if options.json:
        _print_json(answer)
    else:
        output.show_explanation(answer)
    return 0


def remove_folders(options: argparse.Namespace, base: BaseDir) -> int:
    answer = Client.connect(base).remove([_absolute(path) for path in options.paths])
    print(f"{_files(answer['files'])} forgotten.")
    return 0


def purge_files(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.system.purging import purge

    done = purge(base, [_absolute(path) for path in options.paths])
    if options.json:
        _print_json(asdict(done))
    else:
        output.show_purged(done, base)
    return FAILED if done.left else 0


def show_agents(options: argparse.Namespace, base: BaseDir) -> int:
    log = AgentLog(base)
    if options.clear:
        log.clear()
        print("Forgotten.")
    elif options.json:
        _print_json([asdict(entry) for entry in log.entries()])
    else:
        output.show_agents(log.entries())
    return 0


def allow_files(options: argparse.Namespace, base: BaseDir) -> int:
    client = Client.connect(base)
    paths = [_absolute(path) for path in options.paths]
    for path in paths:
        answer = client.explain(path)
        if answer["state"] != "withheld" and "withheld:" not in answer.get("detail", ""):
            raise InklingError(
                f"{output.printable(path)} is not withheld.",
                hint=answer["sentence"] or f"Its state is “{answer['state']}”.",
                path=path,
            )
    print(f"{_files(client.allow(paths)['files'])} indexed from now on.")
    return 0


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count} files are"


def pause_indexing(options: argparse.Namespace, base: BaseDir) -> int:
    seconds = _pause_seconds(options, dt.datetime.now())
    Client.connect(base).pause(seconds)
    if seconds is None:
        print("Paused until `inkling resume`. Search goes on.")
    else:
        end = dt.datetime.now() + dt.timedelta(seconds=seconds)
        print(f"Paused until {end:%Y-%m-%d %H:%M}; `inkling resume` ends it. Search goes on.")
    return 0


def _pause_seconds(options: argparse.Namespace, now: dt.datetime) -> float | None:
    """How long a pause is wanted; None for one without an end."""
    if options.minutes is not None:
        if not 0 < options.minutes <= MOST_MINUTES:
            raise InklingError(
                f"--minutes must be more than 0 and at most {MOST_MINUTES}.",
                hint="Without it the pause lasts until `inkling resume`.",
            )
        return max(1.0, float(options.minutes) * 60)
    if options.until is None:
        return None
    if options.until == "tomorrow":
        end = (now + dt.timedelta(days=1)).replace(hour=7, minute=0, second=0)
        return float((end - now).total_seconds())
    try:
        clock = dt.time.fromisoformat(options.until)
    except ValueError:
        raise InklingError(
            f"--until can't be “{options.until}”.", hint="Say tomorrow, or a time such as 18:30."
        ) from None
    end = dt.datetime.combine(now.date(), clock.replace(tzinfo=None))
    return max(1.0, float((end - now).total_seconds()) % 86_400)


def resume_indexing(options: argparse.Namespace, base: BaseDir) -> int:
    Client.connect(base).resume()
    print("Indexing goes on.")
    return 0


def stop_indexer(options: argparse.Namespace, base: BaseDir) -> int:
    client = Client.find(base)
    if client is None:
        print("No indexer is running.")
        return 0
    client.stop()
    deadline = time.monotonic() + 60
    while base.endpoint.exists() or _alive(client.endpoint.pid):
        if time.monotonic() > deadline:
            raise InklingError("The indexer has not ended yet.", hint=f"See {base.logs}.")
        time.sleep(0.05)
    print("Stopped.")
    return 0


def _alive(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def show_demo(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.demo import run_demo

    return run_demo()


def set_autostart(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.settings.changing import change_settings
    from desktop.system import autostart

    if options.wanted != "status":
        wanted = options.wanted == "on"
        autostart.set_enabled(wanted, base.root)
        change_settings(base, {"start_with_session": wanted})
    file = autostart.entry_file()
    shown = output.printable(str(file))
    if not file.exists():
        print("Off: Inkling does not start when you log in.")
    elif file.read_bytes() == autostart.entry(base.root):
        print(f"On: Inkling starts when you log in ({shown}).")
    else:
        print(f"On, but for another base directory or installation ({shown}).")
        print("`inkling autostart on` sets it to this one.")
    return 0


def serve_agents(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.mcp_bridge import (
        serve,  # the protocol's library takes half a second to load
    )

    return serve(base)


def examine(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.doctor import run_doctor

    return run_doctor(base, as_json=options.json)


def integrate(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.integrate_command import run_integrate

    return run_integrate(options, base)


def serve_desktop(options: argparse.Namespace, base: BaseDir) -> int:
    if find_spec("dbus_fast") is None:
        raise InklingError(
            "This system has no session bus.", hint="`inkling integrate --list` says what it has."
        )
    from desktop.wording import language
    from engine.contract.settings import Settings

    language.choose(Settings.load(base).language)
    from desktop.provider.serving import serve  # reads the sentences, hence after it

    return serve(base)


def use_encoder(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.encoder_commands import run_encoder

    return run_encoder(options, base)


def judge_answer(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.judging import run_judge

    return run_judge(options, base)


def evaluate_models(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.judging import run_evaluate

    return run_evaluate(options, base)


def serve_archive(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.serving import run_service

    return run_service(options.command, options.rest, base)


def fill_archive(options: argparse.Namespace, base: BaseDir) -> int:
    from desktop.terminal.filling import run_fill

    return run_fill(options, base)


#: What does each command that `options.parser` knows.
COMMANDS: dict[str, Command] = {
    "add": add_folders,
    "search": search_files,
    "ask": ask_question,
    "similar": similar_files,
    "status": show_status,
    "problems": show_problems,
    "explain": explain_file,
    "remove": remove_folders,
    "purge": purge_files,
    "agents": show_agents,
    "judge": judge_answer,
    "evaluate": evaluate_models,
    "allow": allow_files,
    "pause": pause_indexing,
    "resume": resume_indexing,
    "archive": run_archive_command,
    "model": run_model_command,
    "encoder": use_encoder,
    "stop": stop_indexer,
    "autostart": set_autostart,
    "mcp": serve_agents,
    "integrate": integrate,
    "serve-desktop": serve_desktop,
    "demo": show_demo,
    "doctor": examine,
    "serve": serve_archive,
    "team": serve_archive,
    "fill": fill_archive,
}
