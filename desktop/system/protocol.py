"""What the desktop needs of an operating system; one module for each system answers it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, Protocol

from desktop.system.keys import Keys
from engine.contract.errors import InklingError

#: Stands in a command where the file's path goes.
PATH = "{path}"


NameFault = Literal["refused", "too long"]


@dataclass(frozen=True, slots=True)
class Program:
    """A program that says it opens a type of file."""

    name: str
    command: tuple[str, ...]  # with PATH


class BoundKey(Protocol):
    """A key of the whole desktop, held until it is given back."""

    def stop(self) -> None:
        """Give the key back."""
        ...


class Platform(Protocol):
    """Paths, entries and commands as this system wants them.

    Everything that decides is a pure function of its arguments; only `show_in_folder`,
    `send_to_socket`, `bind_key` and `programs_for` touch the system.
    """

    @property
    def NAME(self) -> str:
        """What tables call it."""
        ...

    def autostart_file(self, home: PurePath, environment: Mapping[str, str]) -> PurePath:
        """Where the system looks for what the session starts."""
        ...

    def autostart_entry(self, command: Sequence[str], folder: str) -> bytes:
        """The content of that file: start exactly `command`, with `folder` as working directory."""
        ...

    def split_command(self, command: str) -> list[str]:
        """A command as typed into the settings, in arguments; ValueError where it is unfinished."""
        ...

    def program_command(self, program: str) -> tuple[str, ...]:
        """How a program that a person picked by its file is started, with PATH for the document."""
        ...

    def reveal_command(self, path: str) -> list[str] | None:
        """The command that shows a file, chosen, in its folder; None where no command does."""
        ...

    def show_in_folder(self, path: str) -> bool:
        """Ask the running file manager instead; whether one answered. May block for seconds."""
        ...

    def copied_file_formats(self, urls: Sequence[bytes]) -> dict[str, bytes]:
        """What the clipboard needs beside URLs so that copied files can be pasted, by type."""
        ...

    def socket_address(self, name: str) -> str:
        """The whole address of a local socket of this person's, for whoever listens there."""
        ...

    def send_to_socket(self, address: str, message: bytes) -> bool:
        """Whether somebody listens at it, who then has the message. Waits half a second at most."""
        ...

    def terminal_command(self, folder: str, environment: Mapping[str, str]) -> list[str] | None:
        """The command that opens a terminal in the folder it is started in; None: there is none."""
        ...

    def bind_key(
        self,
        keys: Keys,
        text: str,
        description: str,
        pressed: Callable[[str], None],
        failed: Callable[[InklingError], None],
    ) -> BoundKey:
        """Hold a key for the whole desktop; both are called from any thread. Touches the system."""
        ...

    def kept_thumbnail(self, path: str, environment: Mapping[str, str]) -> bytes | None:
        """A picture of a file that the desktop has drawn already; blocking, reads files."""
        ...

    def in_cloud(self, name: str, found: os.stat_result) -> bool:
        """Whether opening the file that was looked at would fetch its contents from elsewhere."""
        ...

    def name_fault(self, name: str) -> NameFault | None:
        """Why a file can't be called so, whatever the folder; None: it can."""
        ...

    def bin_note(self, place: PurePath) -> PurePath | None:
        """The file that says where what lies in the bin at `place` was; None: there is none."""
        ...

    def programs_for(self, path: str) -> list[Program]:
        """The installed programs that say they open this type of file, by name. Reads files."""
        ...
