"""Errors a person can read, and the reasons why a file is not indexed. No heavy imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self


class InklingError(Exception):
    """Something went wrong that a person should hear of: what happened, and what to do next."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        path: str | None = None,
        told: Mapping[str, object] | None = None,
    ) -> None:
        """`told`: what stands for the names in braces in message and hint. Without it there are
        none, and the sentences are complete; with it a face can word them in another language."""
        self.template, self.hint_template, self.told = message, hint, told
        self.message = message if told is None else message.format(**told)
        self.hint = hint if told is None else hint.format(**told)
        self.path = path
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def as_data(self) -> dict[str, Any]:
        """For another process: whole sentences, and what they were filled from."""
        data: dict[str, Any] = {"message": self.message, "hint": self.hint, "path": self.path}
        if self.told is not None:
            told = {name: str(value) for name, value in self.told.items()}
            words = {"message": self.template, "hint": self.hint_template}
            data["template"] = {**words, "told": told}
        return data

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """What `as_data` gave; KeyError, TypeError or ValueError if it is nothing of the kind."""
        said = data.get("template") or data
        hint, told = said.get("hint", ""), said.get("told")
        return cls(said["message"], hint=hint, path=data.get("path"), told=told)


class StoreDamagedError(InklingError):
    """The store can't be read; it is rebuilt from the files."""


class StoreBusyError(InklingError):
    """The system refuses now what it may grant later: no descriptors, memory, space or access.

    Nothing is wrong with the store; the same call is to be made again after a while.
    """


class StoreTooNewError(InklingError):
    """A later Inkling wrote this store; it is left as it is."""


class RefusedRowsError(InklingError):
    """The store can't hold what it was given, however often it is tried; its contents are fine."""


class RefusedQueryError(InklingError):
    """The store can't answer such a question, however often it is asked; its contents are fine."""


class WorkerDiedError(InklingError):
    """A child process ended or hung; its work is to be done again elsewhere."""


FileState = Literal["seen", "pending", "done", "failed", "withheld", "skipped"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file has no content in the index, or not all."""

    code: str
    state: FileState
    sentence: str
    retry: bool = False  # whether trying again by hand can help


#: Every reason once. Code and sentence appear in `inkling problems`, the window and the tests.
REASONS: dict[str, Reason] = {
    r.code: r
    for r in (
        Reason(
            "partly-read",
            "pending",
            "Some of its pages are still to be read, which is done when no other file waits.",
        ),
        Reason(
            "unsupported",
            "skipped",
            "Inkling does not read this type of file; its name is searchable.",
        ),
        Reason(
            "needs-program",
            "skipped",
            "Reading it takes a program that is not installed here; its name is searchable.",
            True,
        ),
        Reason("empty", "skipped", "The file is empty."),
        Reason("no-text", "skipped", "No text was found in it; its name is searchable."),
        Reason("binary", "skipped", "The contents are not text, whatever the name says."),
        Reason("too-large", "skipped", "The file is larger than the limit in the settings.", True),
        Reason("generated", "skipped", "It is generated, minified or a lock file."),
        Reason("not-regular", "skipped", "It is not a regular file (a device, pipe or socket)."),
        Reason(
            "placeholder",
            "skipped",
            "The file is not on this machine; opening it would download it.",
        ),
        Reason("encrypted", "failed", "It is protected by a password.", True),
        Reason("broken", "failed", "The file is damaged or not what its name says.", True),
        Reason(
            "too-complex",
            "failed",
            "Reading it would take more memory than a worker may use.",
            True,
        ),
        Reason("timeout", "failed", "Reading it took longer than the deadline.", True),
        Reason("crashed", "failed", "Reading it ended the worker; it is set aside.", True),
        Reason(
            "unreadable", "failed", "The file can't be opened (permission denied or gone).", True
        ),
        Reason(
            "in-use",
            "failed",
            "Another program has it open for itself; it is tried again with the next look around.",
            True,
        ),
        Reason("decode", "failed", "The text encoding could not be recognised.", True),
        Reason("encoder", "failed", "The model could not encode it.", True),
        Reason("refused", "failed", "The index could not take what was read from it.", True),
        Reason("secret-name", "withheld", "Its name says that it holds secrets."),
        Reason(
            "secret-content",
            "withheld",
            "It holds nothing but what looks like a key, token or password.",
        ),
    )
}


#: Of a file that is indexed, and not with all that is in it.
READ_IN_PART = Reason("read-in-part", "done", "Only a part of it is indexed.")

#: Of a file without a reason of the table.
NOT_YET = "It has not been read yet."
NOT_INDEXED = "It is not indexed."


def why_name_only(state: str, reason: str) -> str:
    """A sentence on a file of which only the name is in the index; "" for one that is indexed."""
    if state == "done":
        return ""
    if reason in REASONS:
        return REASONS[reason].sentence
    return NOT_YET if state in ("seen", "pending") else NOT_INDEXED
