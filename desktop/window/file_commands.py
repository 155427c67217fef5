"""What is done with the files of the selected results: to the bin and back, another name, their
folder left out, a terminal where they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import PurePath

from desktop import strings as s
from desktop.presentation import archive_strings as a
from desktop.presentation.paths import printable, short_path
from desktop.system import opening, renaming
from desktop.system.trash import Binned, Outcome, move_to_bin, take_back
from desktop.window.leaving_out import pattern_for
from desktop.window.rename_dialog import RenameDialog
from desktop.window.result_commands import ResultCommands
from engine.contract.errors import InklingError
from engine.contract.types import Hit


class FileCommands(ResultCommands):
    """One method per action, by the action's id."""

    def _own(self, hits: Sequence[Hit]) -> list[Hit]:
        """Of these the files of this machine's index: an archive's files are not changed."""
        own = [hit for hit in hits if not hit.archive]
        if len(own) < len(hits):
            away = next(hit for hit in hits if hit.archive)
            said = a.ARCHIVED.format(name=away.archive)
            self._window.tell(InklingError(said, path=away.path))
        return own

    def trash(self) -> None:
        """To the bin, at once and without a question: it can be undone."""
        paths = [hit.path for hit in self._own(self._hits)]
        if paths:
            self._window.service.work(lambda: move_to_bin(paths), self._binned, self._window.tell)

    def _binned(self, outcome: Outcome) -> None:
        if outcome.binned:
            gone = self._window.results.take_out([one.path for one in outcome.binned])
            count = len(outcome.binned)
            self._undo = lambda: self._take_back(outcome.binned, gone)
            self._window.offer(s.binned(count), "trash", s.UNDO, self.undo)
        if outcome.error is not None:
            self._window.tell(outcome.error)

    def _take_back(self, binned: tuple[Binned, ...], gone: list[tuple[int, Hit]]) -> None:
        self._window.service.work(
            lambda: take_back(binned),
            lambda _done: self._window.results.put_back(gone),
            self._window.tell,
        )

    def rename(self) -> None:
        """Another name for the file of the current result."""
        for hit in self._own([self._hit] if self._hit else []):
            path = hit.path
            dialog = RenameDialog(PurePath(path).name, partial(self._rename, path), self._parent)
            self._show("rename", dialog)

    def _rename(self, path: str, name: str) -> None:
        self._window.service.work(
            lambda: renaming.rename(path, name),
            lambda new: self._was_renamed(path, new),
            self._window.tell,
        )

    def _was_renamed(self, path: str, new: str) -> None:
        self._window.results.rename(path, new)
        self._undo = lambda: self._rename_back(new, path)
        old_name, name = (printable(PurePath(one).name) for one in (path, new))
        self._window.offer(s.RENAMED.format(old=old_name, new=name), "note", s.UNDO, self.undo)

    def _rename_back(self, new: str, path: str) -> None:
        self._window.service.work(
            lambda: renaming.rename(new, PurePath(path).name),
            lambda back: self._window.results.rename(new, back),
            self._window.tell,
        )

    def undo(self) -> None:
        """Take back what was done last to files or folders."""
        undo, self._undo = self._undo, None
        self._window.offer("", "", "", None)
        if undo is None:
            self._window.status.flash(s.NOTHING_TO_UNDO)
        else:
            undo()

    def leave_out(self) -> None:
        """Leave the folder of the current result out of the index, by a row of the settings."""
        hit = next(iter(self._own([self._hit] if self._hit else [])), None)
        if hit is None:
            return
        folder = str(PurePath(hit.path).parent)
        roots = [str(f["path"]) for f in self._window.service.status.get("folders", ())]
        pattern = pattern_for(folder, roots)
        settings = self._window.settings
        before = settings.values.excluded
        settings.set("excluded", (*before, pattern))
        inside = [h.path for h in self._window.results.all_hits() if _within(h.path, folder)]
        gone = self._window.results.take_out(inside)

        def put_in_again() -> None:
            kept = tuple(row for row in settings.values.excluded if row != pattern)
            settings.set("excluded", kept)
            self._window.results.put_back(gone)

        self._undo = put_in_again
        said = s.LEFT_OUT.format(folder=short_path(folder))
        self._window.offer(said, "folder", s.UNDO, self.undo)

    def terminal(self) -> None:
        """A terminal in the folder of the current result."""
        for hit in self._here([self._hit] if self._hit else []):
            opening.open_terminal(os.path.dirname(hit.path))


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)
