"""Who asks: an account with what it may be called by in rights, for the time of one request."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

from engine.contract.errors import InklingError

#: A reader that stands for any account.
EVERYONE = "everyone"
#: Of one request the log names so many files; how many more there were it says, too.
MOST_NOTED = 200


def principals_of(name: str, groups: Iterable[str]) -> frozenset[str]:
    """What the rights of files may call an account."""
    return frozenset({f"user:{name}", EVERYONE, *(f"group:{group}" for group in groups)})


@dataclass(frozen=True, slots=True)
class Account:
    """A person, or a program, that has shown who it is."""

    name: str
    principals: frozenset[str]


@dataclass(slots=True)
class Asked:
    """What one request comes to, for the log."""

    account: Account | None = None
    question: str = ""
    files: list[str] = field(default_factory=list)  # paths that were shown or read
    more_files: int = 0

    def note(self, paths: Iterable[str], question: str = "") -> None:
        """These files go into the answer."""
        self.question = question or self.question
        known = set(self.files)
        for path in paths:
            if path in known:
                continue
            if len(self.files) < MOST_NOTED:
                known.add(path)
                self.files.append(path)
            else:
                self.more_files += 1


#: Of the request that is being answered: routes run in threads, which are given its context.
ASKED: ContextVar[Asked] = ContextVar("asked")


def asking() -> Account:
    """The account that asks; InklingError outside of a request."""
    asked = ASKED.get(None)
    if asked is None or asked.account is None:
        raise InklingError("Nobody is known to ask this.", hint="Log in first.")
    return asked.account
