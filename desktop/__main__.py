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

from collections.abc import Sequence  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Dispatch; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    from desktop.terminal import cli

    options, _ = cli.parser().parse_known_args(given)
    if options.command:
        return cli.main(given)
    from desktop.app import main as window

    return window(given)


if __name__ == "__main__":
    sys.exit(main())
