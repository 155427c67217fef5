"""What can be typed after `inkling`: every command with its options. Loads no Qt and no client, so
that help, version and errors come at once."""

from __future__ import annotations

import argparse
import itertools
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from engine.contract.kinds import FILE_KINDS
from engine.contract.version import VERSION

#: Exit status when something went wrong.
FAILED = 2


def complain(message: str, hint: str = "") -> None:
    """An error on stderr: what happened, then what to do."""
    sys.stderr.write(f"inkling: {message}\n")
    if hint:
        sys.stderr.write(f"  {hint}\n")


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments, and where the right ones are listed."""

    #: What is no option is a word, in the order typed: `-draft` leaves out, `tar -xzf` is asked.
    takes_words = False
    #: Everything behind the command is another process's to read, in `rest`: its help, too.
    hands_on = False

    def error(self, message: str) -> NoReturn:
        complain(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")
        self.exit(FAILED)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        if self.hands_on:
            namespace = argparse.Namespace() if namespace is None else namespace
            namespace.rest = list(args or ())
            return namespace, []
        if self.takes_words:
            args = self._words_last(args or ())
        return super().parse_known_args(args, namespace)

    def _words_last(self, args: Iterable[str]) -> list[str]:
        options: list[str] = []
        words: list[str] = []
        left = iter(args)
        for arg in left:
            if arg == "--":
                words += left
                break
            name, told, _ = arg.partition("=")
            known = self._option_string_actions.get(name)
            if known is None and not re.match("--[a-z]", arg):  # a misspelt option is said
                words.append(arg)
                continue
            options.append(arg)
            if known is not None and known.nargs != 0 and not told:
                options += itertools.islice(left, 1)
        return [*options, "--", *words]


def parser() -> argparse.ArgumentParser:
    """Every command with its options; without a command the window's own."""
    top = Parser(
        prog="inkling",
        description="Find a file from an inkling of what was in it. Without a command: the window.",
    )
    top.add_argument("--version", action="version", version=f"Inkling {VERSION}")
    top.add_argument("--base-dir", metavar="DIR", help="where Inkling keeps its state")
    top.add_argument("--toggle", action="store_true", help="show or hide the window")
    top.add_argument("--panel", action="store_true", help="show or hide the small panel")
    top.add_argument("--ask", metavar="WORDS", help="show the window with this question")
    top.add_argument("--similar", metavar="FILE", help="show the window with files like this one")
    top.add_argument("--hidden", action="store_true", help="put the window in the tray")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, text: str) -> Parser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--base-dir", metavar="DIR", default=argparse.SUPPRESS)
        return made

    add = command("add", "watch these folders")
    add.add_argument("paths", nargs="+", metavar="PATH")
    add.add_argument("--wait", action="store_true", help="return when every file is done")
    search = command("search", "find files by what is in them")
    search.takes_words = True
    search.add_argument("query", nargs="*", metavar="QUERY")
    search.add_argument("--image", metavar="FILE", help="a picture to search with")
    search.add_argument("--kind", choices=FILE_KINDS)
    search.add_argument(
        "--plain", action="store_true", help="read no words as filters (“last week”, “pdf about”)"
    )
    ask = command("ask", "answer a question in sentences, each with the places that prove it")
    ask.takes_words = True
    ask.add_argument("question", nargs="*", metavar="QUESTION")
    ask.add_argument("--model", metavar="M", help="another model than that of the settings")
    ask.add_argument("--server", metavar="URL", help="another server than that of the settings")
    ask.add_argument("--sources", action="store_true", help="show what the model was given, too")
    ask.add_argument(
        "--servers", action="store_true", help="say what can be asked, or how to get a server"
    )
    similar = command("similar", "find files like this one")
    similar.add_argument("file", metavar="FILE")
    for made in (search, similar):
        made.add_argument("--limit", type=int, default=10)
    status = command("status", "progress, counts, space and health")
    problems = command("problems", "what is not indexed, or not all of it, and why")
    problems.add_argument("--reason", help="list what has this reason")
    problems.add_argument("--rule", help="list what this rule leaves out, such as “*.o”")
    problems.add_argument("--retry", action="store_true", help="try those again that may succeed")
    why = command("explain", "why a file is, or is not, found")
    why.add_argument("file", metavar="FILE")
    why.add_argument("--query", metavar="Q")
    why.add_argument("--image", metavar="FILE", help="a picture that asks")
    ask.add_argument("--plain", action="store_true", help="read no words as filters")
    for made in (search, ask, similar, status, problems, why):
        made.add_argument("--json", action="store_true")
    remove = command("remove", "forget these folders")
    remove.add_argument("paths", nargs="+", metavar="PATH")
    purge = command("purge", "take folders and files out without a trace, and prove it")
    purge.add_argument("paths", nargs="+", metavar="PATH")
    agents = command("agents", "what agents were given: when, by which tool, of which files")
    agents.add_argument("--clear", action="store_true", help="forget it")
    for made in (purge, agents):
        made.add_argument("--json", action="store_true")
    judge = command("judge", "say that a file answers a question, or does not; kept here alone")
    judge.add_argument("question", nargs="?", metavar="QUESTION")
    judge.add_argument("path", nargs="?", metavar="FILE")
    judge.add_argument("--page", type=int, metavar="N")
    said = judge.add_mutually_exclusive_group()
    said.add_argument("--wrong", action="store_true", help="it does not answer")
    said.add_argument("--forget", action="store_true", help="take back what was said")
    said.add_argument("--clear", action="store_true", help="forget all that was judged")
    evaluate = command("evaluate", "how well your judged questions are answered, by each model")
    evaluate.add_argument("file", nargs="?", metavar="FILE", help="of judgements, one a line")
    way = evaluate.add_mutually_exclusive_group()
    way.add_argument("--fit", action="store_true", help="fit the ranker to them, and rank by it")
    way.add_argument("--shipped", action="store_true", help="rank as Inkling comes again")
    for made in (judge, evaluate):
        made.add_argument("--json", action="store_true")
    allow = command("allow", "index withheld files, or withheld parts of them, after all")
    allow.add_argument("paths", nargs="+", metavar="FILE")
    pause = command("pause", "stop indexing for a while; search goes on")
    until = pause.add_mutually_exclusive_group()
    until.add_argument("--minutes", type=float, metavar="N")
    until.add_argument("--until", metavar="WHEN", help="“tomorrow” (seven in the morning) or HH:MM")
    command("resume", "go on indexing")
    _add_model_options(command("model", "list, choose, get and remove models"))
    _add_encoder_options(command("encoder", "encode on another machine, or on this one alone"))
    _add_archive_options(command("archive", "add, list and remove archives that are asked, too"))
    command("stop", "end the indexer")
    autostart = command("autostart", "start Inkling when you log in")
    autostart.add_argument("wanted", choices=["on", "off", "status"], metavar="on|off|status")
    doctor = command(
        "doctor", "versions, index, permissions, limits, models; what to do about each"
    )
    doctor.add_argument("--json", action="store_true")
    command("mcp", "answer an agent over stdio (Model Context Protocol)")
    integrate = command("integrate", "tell the desktop of Inkling: menus, searches, file managers")
    way = integrate.add_mutually_exclusive_group()
    way.add_argument("--list", action="store_true", help="say what is told, and change nothing")
    way.add_argument("--remove", action="store_true", help="take back what was written")
    way.add_argument("--show", metavar="ID", help="print the contents of one file")
    command("serve-desktop", "answer the searches of GNOME and KDE (the session bus starts it)")
    for name, text in (
        (
            "serve",
            "answer many people from an archive, or with --encoder encode for other machines; "
            "`serve token NAME` makes a token",
        ),
        ("team", "fill an archive from folders and serve it, all on this machine"),
    ):
        command(name, text).hands_on = True
    fill = command("fill", "fill an archive that many people search, from folders")
    fill.add_argument("uri", metavar="URI", help="a folder, or s3://BUCKET/PLACE; made if new")
    fill.add_argument(
        "--from", dest="folders", metavar="FOLDER", nargs="+", action="extend", required=True
    )
    fill.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="a Ray cluster; without it Ray is started here; off: in one process",
    )
    fill.add_argument("--name", metavar="NAME", help="what a new archive is called")
    fill.add_argument(
        "--readers", metavar="FILE", help="a table of who may read what, instead of modes and lists"
    )
    fill.add_argument("--model", metavar="ID", help="the model of a new archive")
    command("demo", "index the sample library and answer five questions")
    return top


def _add_encoder_options(command: argparse.ArgumentParser) -> None:
    """status, use URL, local."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text, description=text)
        made.add_argument("--base-dir", metavar="DIR", default=argparse.SUPPRESS)
        made.add_argument("--json", action="store_true")
        return made

    action("status", "where encoding happens and at what rate; what the other machine serves")
    use = action("use", "have passages and pictures encoded by the service at an address")
    use.add_argument("address", metavar="URL")
    use.add_argument("--token-file", metavar="FILE", help="holds the token that the service showed")
    use.add_argument("--ca", metavar="FILE", help="certificates (PEM) that are trusted there")
    use.add_argument("--model", metavar="NAME", default="", help="of a server with OpenAI's API")
    use.add_argument("--confirm", metavar="HOST", help="the machine's name, typed to confirm it")
    action("local", "encode on this machine alone")


def _add_model_options(command: argparse.ArgumentParser) -> None:
    """list, use ID, add PATH, download ID, remove ID."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text, description=text)
        made.add_argument("--base-dir", metavar="DIR", default=argparse.SUPPRESS)
        return made

    listed = action("list", "every model with its licence, size and whether it is here")
    listed.add_argument("--json", action="store_true")
    use = action("use", "index with this model; the present index answers until that is done")
    get = action("download", "get a model's weights; goes on where it was stopped")
    add = action("add", "use the weights in a folder of yours, where they are")
    add.add_argument("path", metavar="PATH")
    remove = action("remove", "delete a model's weights and its index")
    for made in (use, get, remove):
        made.add_argument("id", metavar="ID")
    use.add_argument(
        "--for",
        dest="role",
        choices=["text", "sight"],
        default="text",
        help="sight: it sees pictures, and texts are left to the other model; ID none: no model",
    )
    for made in (use, get):
        made.add_argument("--wait", action="store_true", help="return when it is done")
    for made in (use, get, add):
        made.add_argument(
            "--accept-licence", action="store_true", help="you have read and accept its licence"
        )


def _add_archive_options(command: argparse.ArgumentParser) -> None:
    """list, add NAME URL, remove NAME, export URI."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        # Not `--token SECRET` for --token-file: others can read what is typed.
        made = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.add_argument("--base-dir", metavar="DIR", default=argparse.SUPPRESS)
        return made

    listed = action("list", "every archive that is asked, and how it is")
    listed.add_argument("--json", action="store_true")
    add = action("add", "ask one from now on; its token is typed, or read from a file")
    remove = action("remove", "forget one and its token")
    for made in (add, remove):
        made.add_argument("name", metavar="NAME")
    add.add_argument("url", metavar="URL")
    add.add_argument("--token-file", metavar="FILE", help="what holds the token")
    add.add_argument("--authority", metavar="FILE", help="certificates that vouch for it")
    export = action("export", "write an archive of record (resources/docs/archive.md) as Parquet")
    export.add_argument("uri", metavar="URI", help="its folder, or s3://BUCKET/PREFIX")
    export.add_argument("--to", metavar="DIR", required=True, help="an empty folder, or a new one")
