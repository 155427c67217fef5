"""What only a team's service needs, and a sentence where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.contract.errors import InklingError


@contextmanager
def needing(package: str) -> Iterator[None]:
    """Import a package of the extra `archive` in here."""
    try:
        yield
    except ImportError as error:
        raise InklingError(
            "The team's index needs {package}, which is not installed.",
            hint="Install the extra: pip install 'inkling-search[archive]'",
            told={"package": package},
        ) from error
