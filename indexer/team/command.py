"""`python -m indexer serve` and `team`: an archive served to many people, told line by line."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.contract import log
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir, base_dir

if TYPE_CHECKING:
    from indexer.team.limiting import Limits
    from indexer.team.oidc import Provider

FAILED = 2
#: How often `inkling team` looks at its folders again.
_AGAIN_S = 600.0


def main(command: str, arguments: Sequence[str]) -> int:
    """0 after an orderly end, 2 with a sentence on stderr after an error."""
    try:
        if command == "serve" and arguments[:1] == ["token"]:
            return _token(arguments[1:])
        options = (serve_parser() if command == "serve" else _team_parser()).parse_args(arguments)
        base = base_dir(options.base_dir).create()
        log.set_up(base.logs, "team")
        return _serve(options, base) if command == "serve" else _team(options, base)
    except InklingError as error:
        sys.stderr.write(f"inkling: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
        return FAILED
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"inkling: Serving an archive needs {error.name}, which is not installed.\n"
            "  Install the extra: pip install 'inkling-search[archive]'\n"
        )
        return FAILED


def _serve(options: argparse.Namespace, base: BaseDir) -> int:
    """An archive that another process fills."""
    from indexer.team.served import Served, Service
    from indexer.team.serving import Place, Server, until_ended

    place = Place(options.host, options.port, _path(options.cert), _path(options.key))
    service = Service(
        Served(
            archive=options.archive,
            folder=_path(options.dir) or base.root / "serve",
            base=base,
            accounts=_path(options.accounts),
            provider=_provider(options),
            qdrant=options.qdrant,
            limits=_limits(options),
            questions=not options.no_questions,
        )
    )
    try:
        server = Server(service.app, place)
        service.start()
        server.start()
        _say_where(service.about.name, server.url)
        server.wait(until_ended())
        server.stop()
    finally:
        service.close()
    return 0


def _team(options: argparse.Namespace, base: BaseDir) -> int:
    """Filling, archive, points and service on one machine."""
    from indexer.team.all_in_one import Filling, first_account
    from indexer.team.served import Served, Service
    from indexer.team.serving import Place, Server, until_ended

    place = Place(options.host, options.port, _path(options.cert), _path(options.key))
    folder = Path(os.path.abspath(options.dir))
    filling = Filling(folder / "archive", options, base, _AGAIN_S)
    filling.ready()
    accounts = _path(options.accounts)
    if accounts is None and not options.oidc:
        accounts = first_account(folder / "accounts.toml", getpass.getuser(), _say)
    service = Service(
        Served(
            archive=str(folder / "archive"),
            folder=folder / "serve",
            base=base,
            accounts=accounts,
            provider=_provider(options),
            limits=_limits(options),
            questions=not options.no_questions,
        )
    )
    try:
        server = Server(service.app, place)
        service.start()
        server.start()
        _say_where(service.about.name, server.url)
        ending = until_ended()
        threading.Thread(target=filling.run, args=(ending,), name="filling", daemon=True).start()
        server.wait(ending)
        server.stop()
    finally:
        service.close()
    return 0


def _token(arguments: Sequence[str]) -> int:
    """A token, once, and the lines of its account."""
    from indexer.team.accounts import made_token

    parser = argparse.ArgumentParser(
        prog="inkling serve token", description="make a token and the account that it opens"
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--groups", nargs="+", default=[], metavar="GROUP")
    options = parser.parse_args(arguments)
    token, lines = made_token(options.name, options.groups)
    _say(f"{token}\n\nThis is the token of {options.name}: it is not shown again. Add to the file")
    _say(f"that --accounts names, which holds for the next request:\n\n{lines}")
    return 0


def _say_where(name: str, url: str) -> None:
    word = "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-") or "team"
    _say(f"The archive {name} answers at {url}")
    _say(f"In Inkling it is added by `inkling archive add {word} {url}`. Ctrl+C ends it.")


def _provider(options: argparse.Namespace) -> Provider | None:
    if not options.oidc:
        return None
    from indexer.team.oidc import Provider

    return Provider(
        options.oidc, options.audience, options.jwks, options.user_claim, options.groups_claim
    )


def _limits(options: argparse.Namespace) -> Limits:
    from indexer.team.limiting import Limits

    return Limits(options.per_minute, options.at_once)


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(os.path.abspath(os.path.expanduser(given)))


def serve_parser() -> argparse.ArgumentParser:
    """The options of `inkling serve`."""
    parser = argparse.ArgumentParser(
        prog="inkling serve",
        description="Answer many people from an archive. `inkling serve token NAME` makes a token.",
    )
    parser.add_argument("--archive", metavar="URI", required=True, help="a folder, or s3://…")
    parser.add_argument("--dir", metavar="DIR", help="its own state, which can be made anew")
    parser.add_argument("--qdrant", metavar="URL", default="", help="a Qdrant server; else in here")
    _add_shared(parser)
    return parser


def _team_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inkling team",
        description="An archive of some folders, filled and served on this one machine.",
    )
    parser.add_argument("--dir", metavar="DIR", required=True, help="archive and state")
    parser.add_argument(
        "--from", dest="folders", metavar="FOLDER", nargs="+", action="extend", required=True
    )
    parser.add_argument("--name", metavar="NAME", help="what the archive is called")
    parser.add_argument("--readers", metavar="FILE", help="a table of who may read what")
    parser.add_argument("--model", metavar="ID", help="the model of a new archive")
    _add_shared(parser)
    return parser


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base-dir", metavar="DIR", help="where Inkling's models are")
    parser.add_argument("--host", default="127.0.0.1", help="other than this machine: with TLS")
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--cert", metavar="FILE", help="certificate with its chain, PEM")
    parser.add_argument("--key", metavar="FILE", help="its key, PEM")
    parser.add_argument("--accounts", metavar="FILE", help="hashed tokens, TOML")
    parser.add_argument("--oidc", metavar="ISSUER", default="", help="a provider of accounts")
    parser.add_argument("--audience", default="", help="what its tokens are made for")
    parser.add_argument("--jwks", metavar="PLACE", default="", help="its keys: a file or https")
    parser.add_argument("--user-claim", default="preferred_username", metavar="CLAIM")
    parser.add_argument("--groups-claim", default="groups", metavar="CLAIM")
    parser.add_argument("--per-minute", type=int, default=240, metavar="N", help="of an account")
    parser.add_argument("--at-once", type=int, default=8, metavar="N", help="of an account")
    parser.add_argument(
        "--no-questions", action="store_true", help="leave questions out of the audit log"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
