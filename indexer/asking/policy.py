"""What whoever looks after this machine allows: a file that Inkling only reads, and obeys.

`[answers]` with `enabled = false` (no language model is asked) or `other_machines = false` (only
servers on this machine are); `[archives]` with `enabled = false` (no archive is asked); `[encoder]`
with `other_machines = false` (files are encoded on this machine alone). Whoever forbids other
machines for answers forbids them for encoding, too, unless `[encoder]` says
`other_machines = true`. A file that can't be read or understood forbids everything: what it wanted
to forbid is not known.
"""

from __future__ import annotations

import ntpath
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.contract.errors import InklingError
from indexer.sources.systems import MACOS, SYSTEM, WINDOWS

#: One more file, beside that of the system: it may forbid what that allows, never the reverse.
VARIABLE = "INKLING_POLICY"
_KEYS = {
    "answers": ("enabled", "other_machines"),
    "archives": ("enabled",),
    "encoder": ("other_machines",),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What is forbidden, by which file; "" where it is not."""

    asking: str = ""
    other_machines: str = ""
    archives: str = ""
    encoder: str = ""
    mistake: str = ""  # why a file forbids that could not be understood

    def check(self) -> None:
        """InklingError where no language model may be asked at all."""
        if self.mistake:
            raise InklingError(
                "The policy file {path} can't be understood, so no language model is asked: "
                "{mistake}.",
                hint="Whoever looks after this machine can mend it.",
                path=self.asking,
                told={"path": self.asking, "mistake": self.mistake},
            )
        if self.asking:
            raise InklingError(
                "No language model may be asked on this machine: {path} says so.",
                hint="Whoever looks after this machine can change it.",
                path=self.asking,
                told={"path": self.asking},
            )

    def check_archives(self) -> None:
        """InklingError where no archive may be asked."""
        if self.archives:
            raise InklingError(
                "No archive may be asked on this machine: {path} says so.",
                hint="Whoever looks after this machine can change it.",
                path=self.archives,
                told={"path": self.archives},
            )

    def check_other(self, host: str) -> None:
        """InklingError where another machine may not be asked."""
        self.check()
        if self.other_machines:
            raise InklingError(
                "Another machine, {host}, may not be asked: {path} forbids it.",
                hint="Ask a server on this machine; `inkling ask --servers` lists them.",
                path=self.other_machines,
                told={"host": host, "path": self.other_machines},
            )

    def check_encoder(self, host: str) -> None:
        """InklingError where nothing may be encoded on another machine."""
        if self.mistake:
            raise InklingError(
                "The policy file {path} can't be understood, so nothing is encoded on another "
                "machine: {mistake}.",
                hint="Whoever looks after this machine can mend it.",
                path=self.asking,
                told={"path": self.asking, "mistake": self.mistake},
            )
        if self.encoder:
            raise InklingError(
                "Nothing may be encoded on another machine, {host}: {path} forbids it.",
                hint="Files are encoded on this machine; `inkling encoder local` says so.",
                path=self.encoder,
                told={"host": host, "path": self.encoder},
            )


def policy_file(environment: Mapping[str, str], system: str = SYSTEM) -> str:
    """Where the file lies that is for all people of a machine."""
    if system == WINDOWS:
        data = environment.get("ProgramData") or "C:\\ProgramData"
        return ntpath.join(data, "Inkling", "policy.toml")
    if system == MACOS:
        return "/Library/Application Support/Inkling/policy.toml"
    return "/etc/inkling/policy.toml"


def read_policy(environment: Mapping[str, str] = os.environ, system: str = SYSTEM) -> Policy:
    """What the system's file and, if there is one, that of the variable forbid."""
    policy = _with(Policy(), policy_file(environment, system), must_be=False)
    if more := environment.get(VARIABLE):
        policy = _with(policy, more, must_be=True)
    return policy


def _with(policy: Policy, path: str, *, must_be: bool) -> Policy:
    """A policy with what one more file forbids."""
    try:
        told = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        answers, archives, encoder = (_checked(told, table) for table in _KEYS)
    except (FileNotFoundError, NotADirectoryError) as error:
        if not must_be:
            return policy
        return _nothing(policy, path, error.strerror or "")
    except (OSError, ValueError) as error:  # what is no TOML and no UTF-8 is a ValueError
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _nothing(policy, path, said.rstrip("."))
    if not answers.get("enabled", True):
        policy = replace(policy, asking=policy.asking or path, other_machines=path)
    if not answers.get("other_machines", True):
        policy = replace(policy, other_machines=policy.other_machines or path)
    if not archives.get("enabled", True):
        policy = replace(policy, archives=policy.archives or path)
    others = answers.get("enabled", True) and answers.get("other_machines", True)
    if not encoder.get("other_machines", others):
        policy = replace(policy, encoder=policy.encoder or path)
    return policy


def _nothing(policy: Policy, path: str, mistake: str) -> Policy:
    """All that a file could forbid is forbidden."""
    everything = dict.fromkeys(("asking", "other_machines", "archives", "encoder"), path)
    return replace(policy, **everything, mistake=mistake)


def _checked(told: Mapping[str, object], table: str) -> Mapping[str, bool]:
    """One table of the file; ValueError if it is none, or holds what is not known."""
    rows = told.get(table, {})
    if not isinstance(rows, dict):
        raise ValueError(f"[{table}] is no table")
    if strange := sorted(rows.keys() - set(_KEYS[table])):
        raise ValueError(f"there is no “{strange[0]}” in [{table}]")
    for key, value in rows.items():
        if not isinstance(value, bool):
            raise ValueError(f"{key} is neither true nor false")
    return rows
