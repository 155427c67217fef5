"""The entry point `inkling`: a command goes to the command line, none opens the window."""

from __future__ import annotations

import sys
from collections.abc import Sequence


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
