"""The entry point `inkling`: a command goes to the command line, none opens the window."""

# No `from __future__` here: that is an import, too, and comes from the working directory as well.
import os
import sys


def _distrust_working_folder() -> None:
    """Import nothing from where `python -m desktop` happens to be started.

    Python puts the working directory first; a `json.py` in a person's home folder would run. It
    stays where Inkling itself lies there (a checkout): another one may be installed, and the two
    must not be mixed.
    """
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if os.path.realpath(sys.path[0]) != os.path.realpath(root):
        sys.path[:] = [place for place in sys.path[1:] if place]


if __name__ == "__main__" and not sys.flags.safe_path:
    _distrust_working_folder()

import argparse  # noqa: E402
from collections.abc import Sequence  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Dispatch; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    from desktop.terminal.options import parser

    options = parser().parse_args(given)
    if options.command:
        from desktop.terminal import cli

        return cli.main(given)
    return _window(options)


def _window(options: argparse.Namespace) -> int:
    """Speak to the window that is open, or open one; nothing of Qt is loaded for the former."""
    from desktop.system.window_socket import send
    from desktop.terminal.options import FAILED, complain
    from engine.contract.errors import InklingError
    from engine.contract.paths import base_dir
    from engine.contract.settings import Settings

    try:
        base = base_dir(options.base_dir).create()
    except InklingError as error:
        complain(error.message, error.hint)
        return FAILED
    wanted = _wanted(options)
    if send(base.root, *wanted):
        return 0
    from desktop.wording import language

    language.choose(Settings.load(base).language)
    from desktop.app import main as window  # reads the sentences, hence after it

    return window(base, hidden=options.hidden, wanted=wanted)


def _wanted(options: argparse.Namespace) -> tuple[str, str]:
    """What a window is to do, see window_socket.COMMANDS, and with which words."""
    if options.ask is not None:
        return "ask", options.ask
    if options.similar is not None:
        return "similar", os.path.abspath(options.similar)
    return "panel" if options.panel else "toggle" if options.toggle else "show", ""


if __name__ == "__main__":
    sys.exit(main())
