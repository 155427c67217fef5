"""What is done with the chosen result: open, reveal, copy, look at, explain."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from desktop import strings as s
from desktop.presentation import archive_strings as a
from desktop.presentation import kinds
from desktop.presentation.paths import printable
from desktop.system import opening
from desktop.system.protocol import Program
from desktop.widgets.on_screen import keep_on_screen
from desktop.window.command_port import CommandPort
from desktop.wording.language import tr
from engine.contract.errors import InklingError
from engine.contract.settings import Settings
from engine.contract.types import Hit, Location

if TYPE_CHECKING:
    from desktop.preview.quick_look import QuickLook


#: So many are opened without a question.
_OPENED_UNASKED = 8


def check_here(hit: Hit) -> None:
    """InklingError unless this machine has the file: an archive's may lie on a share that is
    mounted here, and is the same by its size."""
    if not hit.archive:
        return
    try:
        found = os.stat(hit.path)
    except (OSError, ValueError):
        found = None
    if found is None or found.st_size != hit.size:
        raise InklingError(a.ARCHIVED.format(name=hit.archive), hint=a.ARCHIVED_HINT, path=hit.path)


def open_hit(hit: Hit, settings: Settings, place: Location) -> None:
    """Open a result at a place in it, with the command that its kind has in the settings."""
    setting = kinds.of(hit).open_setting
    command = str(settings.get(setting)) if setting else ""
    check_here(hit)
    if hit.offline and not os.path.lexists(hit.path):  # it is not gone, only its disk is away
        raise InklingError(s.OFFLINE_LONG, hint=s.OFFLINE_HINT, path=hit.path)
    opening.open_file(hit.path, command, place)


class ResultCommands:
    """One method per action on a result, by the action's id; and the dialogs that are open."""

    def __init__(self, window: CommandPort, parent: QWidget) -> None:
        """`parent`: the widget that dialogs and menus belong to."""
        self._window, self._parent = window, parent
        self._quick_look: QuickLook | None = None
        self._dialogs: dict[str, QWidget] = {}
        self._undo: Callable[[], None] | None = None  # of what was done last to files

    def close(self) -> None:
        """Close what is still open."""
        for dialog in self._dialogs.values():
            dialog.close()
        if self._quick_look is not None:
            self._quick_look.close()

    def _show(self, name: str, dialog: QWidget) -> None:
        """Show a dialog that does not block the window; the same one again replaces it."""
        if earlier := self._dialogs.pop(name, None):
            earlier.close()
            earlier.deleteLater()
        self._dialogs[name] = dialog
        if dialog.isWindow():
            keep_on_screen(dialog)
        dialog.show()

    @property
    def _hit(self) -> Hit | None:
        return self._window.results.hit()

    @property
    def _hits(self) -> list[Hit]:
        """The selected ones, from top to bottom."""
        return self._window.results.hits()

    def _here(self, hits: Sequence[Hit]) -> list[Hit]:
        """Of these the files that this machine has; of the others the first is told."""
        found, away = list[Hit](), list[InklingError]()
        for hit in hits:
            try:
                check_here(hit)
                found.append(hit)
            except InklingError as error:
                away.append(error)
        if away:
            self._window.tell(away[0])
        return found

    # Result

    def open(self) -> None:
        hits = self._hits
        if len(hits) <= _OPENED_UNASKED:
            self._open(hits)
            return
        box = QMessageBox(self._parent)
        box.setText(s.OPEN_MANY.format(files=s.files(len(hits))))
        yes = box.addButton(tr("Open"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        yes.clicked.connect(lambda: self._open(hits))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _open(self, hits: Sequence[Hit]) -> None:
        """All that can be; of those that can't, the first is told."""
        failed: InklingError | None = None
        for hit in hits:
            try:
                self._open_one(hit)
            except InklingError as error:
                failed = failed or error
        if failed is not None:
            self._window.tell(failed)

    def _open_one(self, hit: Hit) -> None:
        place = hit.location
        shown = self._window.preview.hit
        if shown is not None and shown.key == hit.key:
            place = self._window.preview.location
        open_hit(hit, self._window.settings.values, place)
        self._used(hit)

    def _used(self, hit: Hit) -> None:
        self._window.state.note_opened(hit.path)
        self._window.ask.remember()
        self._window.state.save()

    def open_with(self) -> None:
        hit = next(iter(self._here([self._hit] if self._hit else [])), None)
        if hit is None:
            return
        # Hundreds of small files describe the programs: read off the interface's thread.
        self._window.service.work(
            lambda: opening.programs_for(hit.path),
            lambda programs: self._offer_programs(programs, hit),
            self._window.tell,
        )

    def _offer_programs(self, programs: list[Program], hit: Hit) -> None:
        menu = QMenu(self._parent)
        menu.aboutToHide.connect(menu.deleteLater)
        for program in programs[:12]:
            menu.addAction(program.name).triggered.connect(
                lambda _checked=False, chosen=program: self._run_program(chosen, hit)
            )
        menu.addSeparator()
        menu.addAction(tr("Another program…")).triggered.connect(
            lambda _checked=False: self._pick_program(hit)
        )
        rect = self._window.results.visualRect(self._window.results.currentIndex())
        menu.popup(self._window.results.viewport().mapToGlobal(rect.center()))

    def _pick_program(self, hit: Hit) -> None:
        program, _ = QFileDialog.getOpenFileName(
            self._parent, s.OPEN_WITH_PROMPT.format(name=Path(hit.path).name), QDir.homePath()
        )
        if program:
            self._run_program(opening.picked_program(program), hit)

    def _run_program(self, program: Program, hit: Hit) -> None:
        try:
            opening.run_program(program, hit.path)
            self._used(hit)
        except InklingError as error:
            self._window.tell(error)

    def reveal(self) -> None:
        """Each selected file in its folder, one of each folder."""
        folders: dict[str, Hit] = {}
        for hit in self._here(self._hits):
            folders.setdefault(os.path.dirname(hit.path), hit)
        for hit in list(folders.values())[:_OPENED_UNASKED]:
            self._reveal(hit)

    def _reveal(self, hit: Hit) -> None:
        def done(shown: bool) -> None:
            try:
                if not shown:
                    opening.open_folder(hit.path)
                self._used(hit)
            except InklingError as error:
                self._window.tell(error)

        self._window.service.work(lambda: opening.reveal(hit.path), done, self._window.tell)

    def quick_look(self) -> None:
        from desktop.preview.quick_look import QuickLook

        if self._quick_look is None:
            self._quick_look = QuickLook(
                self._window.service, self._parent, self._window.thumbnails
            )
            self._quick_look.stepped.connect(self._window.results.step)
            self._quick_look.opened.connect(self.open)
        if self._quick_look.isVisible():
            self._quick_look.close()
        elif hit := self._hit:
            self._quick_look.show_hit(hit)

    def follow(self, hit: Hit | None) -> None:
        """The current row changed: an open quick look goes with it."""
        if self._quick_look is not None and self._quick_look.isVisible() and hit is not None:
            self._quick_look.show_hit(hit)

    def details(self) -> None:
        self._window.set_preview_shown(True)
        details = self._window.preview.details
        details.setVisible(not details.isVisible())

    def copy_file(self) -> None:
        if hits := self._here(self._hits):
            QGuiApplication.clipboard().setMimeData(opening.files_mime([h.path for h in hits]))
            self._window.status.flash(s.COPIED_FILE if len(hits) == 1 else s.copied(len(hits)))

    def copy_path(self) -> None:
        if hits := self._hits:
            QGuiApplication.clipboard().setText("\n".join(printable(hit.path) for hit in hits))
            self._window.status.flash(s.COPIED_PATH if len(hits) == 1 else s.copied(len(hits)))

    def copy_text(self) -> None:
        hit = self._hit
        if hit is None:
            return
        text, page = self._window.preview.shown_text(), self._window.preview.page
        if not self._window.preview.has_picture and text:
            self._copied_text(text)
            return
        self._window.service.call(
            lambda client: client.text(hit.path, page, archive=hit.archive),
            self._copied_text,
            self._window.tell,
        )

    def _copied_text(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._window.status.flash(s.COPIED_TEXT)

    def copy_picture(self) -> None:
        image = self._window.preview.image()
        if not image.isNull():
            QGuiApplication.clipboard().setImage(image)
            self._window.status.flash(s.COPIED_PICTURE)

    def copies(self) -> None:
        self._window.results.toggle_copies()

    def explain(self) -> None:
        from desktop.index.explanation_dialog import ExplanationDialog

        if (hit := self._hit) and hit.archive:
            self._window.tell(InklingError(a.ARCHIVED.format(name=hit.archive), path=hit.path))
        elif hit:
            query = self._window.question.text
            dialog = ExplanationDialog(self._window.service, hit.path, query, self._parent)
            self._show("explain", dialog)
