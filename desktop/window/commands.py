"""What each action does; one method per row of the table of actions, by its id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QMenu

from desktop import strings as s
from desktop.system import opening
from desktop.window import chips
from desktop.window.actions import ACTIONS, keys_text
from engine.contract.errors import InklingError
from engine.contract.types import Hit

if TYPE_CHECKING:
    from desktop.preview.quick_look import QuickLook
    from desktop.window.window import Window


class Commands:
    """Does things for a window. Dialogs are imported when first wanted: the window opens sooner."""

    def __init__(self, window: Window) -> None:
        self._w = window
        self._quick_look: QuickLook | None = None
        self._dialogs: dict[str, QDialog] = {}

    def run(self, name: str) -> None:
        """Do an action by its id; an error a person can read is shown, none is swallowed."""
        if name.startswith("kind_"):
            self._kind(name.removeprefix("kind_"))
            return
        try:
            getattr(self, name)()
        except InklingError as error:
            self._w.tell(error)

    def close(self) -> None:
        """Close what is still open."""
        for dialog in self._dialogs.values():
            dialog.close()
        if self._quick_look is not None:
            self._quick_look.close()

    @property
    def _hit(self) -> Hit | None:
        return self._w.results.hit()

    # Result

    def open(self) -> None:
        hit = self._hit
        if hit is None:
            return
        place = hit.location
        shown = self._w.preview.hit
        if shown is not None and shown.path == hit.path:
            place = self._w.preview.location
        opening.open_hit(hit, place, self._w.settings)
        self._used(hit)

    def _used(self, hit: Hit) -> None:
        self._w.state.note_opened(hit.path)
        self._w.ask.remember()
        self._w.state.save()

    def open_with(self) -> None:
        hit = self._hit
        if hit is None:
            return
        # Hundreds of small files describe the programs: read off the interface's thread.
        self._w.service.work(
            lambda: opening.programs_for(hit.path),
            lambda programs: self._offer_programs(programs, hit),
            self._w.tell,
        )

    def _offer_programs(self, programs: list[opening.Program], hit: Hit) -> None:
        menu = QMenu(self._w)
        menu.aboutToHide.connect(menu.deleteLater)
        for program in programs[:12]:
            menu.addAction(program.name).triggered.connect(
                lambda _checked=False, command=program.command: self._run_program(command, hit)
            )
        menu.addSeparator()
        menu.addAction(s.tr("Another program…")).triggered.connect(
            lambda _checked=False: self._pick_program(hit)
        )
        rect = self._w.results.visualRect(self._w.results.currentIndex())
        menu.popup(self._w.results.viewport().mapToGlobal(rect.center()))

    def _pick_program(self, hit: Hit) -> None:
        program, _ = QFileDialog.getOpenFileName(
            self._w, s.OPEN_WITH_PROMPT.format(name=Path(hit.path).name)
        )
        if program:
            self._run_program((program, "{path}"), hit)

    def _run_program(self, command: tuple[str, ...], hit: Hit) -> None:
        try:
            opening.run([hit.path if part == "{path}" else part for part in command])
            self._used(hit)
        except InklingError as error:
            self._w.tell(error)

    def reveal(self) -> None:
        hit = self._hit
        if hit is None:
            return

        def done(shown: bool) -> None:
            try:
                if not shown:
                    opening.open_folder(hit.path)
                self._used(hit)
            except InklingError as error:
                self._w.tell(error)

        self._w.service.work(lambda: opening.reveal(hit.path), done, self._w.tell)

    def quick_look(self) -> None:
        from desktop.preview.quick_look import QuickLook

        if self._quick_look is None:
            self._quick_look = QuickLook(self._w.service, self._w)
            self._quick_look.stepped.connect(self._w.results.step)
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
        self._w.set_preview_shown(True)
        details = self._w.preview.details
        details.setVisible(not details.isVisible())

    def copy_file(self) -> None:
        if hit := self._hit:
            QGuiApplication.clipboard().setMimeData(opening.file_mime(hit.path))
            self._w.status.flash(s.COPIED_FILE)

    def copy_path(self) -> None:
        if hit := self._hit:
            path = hit.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            QGuiApplication.clipboard().setText(path)
            self._w.status.flash(s.COPIED_PATH)

    def copy_text(self) -> None:
        hit = self._hit
        if hit is None:
            return
        text, page = self._w.preview.shown_text(), self._w.preview.page
        if not self._w.preview.has_picture and text:
            self._copied_text(text)
            return
        self._w.service.call(
            lambda client: client.text(hit.path, page), self._copied_text, self._w.tell
        )

    def _copied_text(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._w.status.flash(s.COPIED_TEXT)

    def copy_picture(self) -> None:
        image = self._w.preview.picture.image
        if not image.isNull():
            QGuiApplication.clipboard().setImage(image)
            self._w.status.flash(s.COPIED_PICTURE)

    def explain(self) -> None:
        from desktop.index.explain import Explain

        if hit := self._hit:
            text = self._w.question.text
            self._show("explain", Explain(self._w.service, hit.path, text, self._w))

    # Search

    def focus_search(self) -> None:
        self._w.search.focus()

    def similar(self) -> None:
        if hit := self._hit:
            self._w.ask.more_like(hit)

    def attach_picture(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._w, s.PICK_PICTURE, "", s.PICTURE_FILTER)
        if path:
            self._w.ask.search_picture_file(path)

    def paste_picture(self) -> None:
        from desktop.window.query_picture import picture_in

        data = QGuiApplication.clipboard().mimeData()
        if picture_in(data):
            self._w.ask.take_picture(data)
        else:
            self._w.status.flash(s.NO_PICTURE_ON_CLIPBOARD)

    def search_region(self) -> None:
        self._w.set_preview_shown(True)
        self._w.preview.picture.set_region_mode(not self._w.preview.picture.region_mode)

    def _kind(self, kind: str) -> None:
        wanted = None if kind == "any" else kind
        text = self._w.search.text()
        if wanted is not None and chips.values(text, "kind") == [wanted]:
            wanted = None  # the same key again takes the filter away
        self._w.ask.search_for(chips.replace(text, ("kind",), "kind", wanted))

    def history_older(self) -> None:
        self._w.ask.step_history(older=True)

    def history_newer(self) -> None:
        self._w.ask.step_history(older=False)

    def save_search(self) -> None:
        kept = self._w.state.keep(self._w.search.text())
        self._w.state.save()
        self._w.status.flash(s.SEARCH_KEPT if kept else s.SEARCH_FORGOTTEN)

    # View

    def palette(self) -> None:
        from desktop.window.command_palette import CommandPalette

        palette = CommandPalette(self._w.actions_by_id, self._w)
        palette.chosen.connect(self.run)
        self._show("palette", palette)

    def toggle_preview(self) -> None:
        self._w.set_preview_shown(not self._w.preview.isVisibleTo(self._w))

    def index_panel(self) -> None:
        self._index("folders")

    def problems(self) -> None:
        self._index("problems")

    def _index(self, tab: str) -> None:
        from desktop.index.panel import IndexPanel

        panel = IndexPanel(self._w.service, self._w)
        panel.show_tab(tab)
        panel.add_wanted.connect(self.add_folder)
        self._show("index", panel)

    # Preview

    def next_result(self) -> None:
        self._w.results.step(1)

    def previous_result(self) -> None:
        self._w.results.step(-1)

    def next_page(self) -> None:
        self._w.preview.turn(1)

    def previous_page(self) -> None:
        self._w.preview.turn(-1)

    def zoom_in(self) -> None:
        self._w.preview.zoom(1)

    def zoom_out(self) -> None:
        self._w.preview.zoom(-1)

    def zoom_fit(self) -> None:
        self._w.preview.zoom(0)

    def find(self) -> None:
        self._w.set_preview_shown(True)
        self._w.preview.start_find()

    # Inkling

    def settings(self) -> None:
        from desktop.settings.dialog import SettingsDialog

        dialog = SettingsDialog(self._w.settings, self._w)
        dialog.changed.connect(self._w.apply_setting)
        dialog.restart_wanted.connect(self._w.restart_wanted)
        self._show("settings", dialog)

    def add_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._w, s.ADD_FOLDER)
        if folder:
            self._w.service.call(
                lambda client: client.add([folder]),
                lambda _answer: self._w.service.refresh(),
                self._w.tell,
            )

    def rescan(self) -> None:
        folders = [str(f["path"]) for f in self._w.service.status.get("folders", ())]
        if not folders:
            self.add_folder()
            return
        # Adding a folder that is watched already looks through it again.
        self._w.service.call(
            lambda client: client.add(folders),
            lambda _answer: self._w.service.refresh(),
            self._w.tell,
        )
        self._w.status.flash(s.FOLDER_SCANNING)

    def pause(self) -> None:
        if self._w.service.status.get("state") == "paused":
            self.resume()
        else:
            self.pause_for(None)

    def pause_for(self, seconds: float | None) -> None:
        self._w.service.call(
            lambda client: client.pause(seconds),
            lambda _answer: self._w.service.refresh(),
            self._w.tell,
        )

    def resume(self) -> None:
        self._w.service.call(
            lambda client: client.resume(),
            lambda _answer: self._w.service.refresh(),
            self._w.tell,
        )

    def shortcuts(self) -> None:
        from desktop.window.shortcut_page import ShortcutPage

        self._show("shortcuts", ShortcutPage(self._w))

    def dismiss(self) -> None:
        """Escape: end the region, clear the query, then hide."""
        w = self._w
        if w.preview.picture.region_mode:
            w.preview.picture.set_region_mode(False)
        elif w.search.text() or w.question.image or w.question.like:
            w.ask.clear()
        else:
            self.hide()

    def hide(self) -> None:
        self._w.close()

    def quit(self) -> None:
        self._w.quit_wanted.emit()

    def _show(self, name: str, dialog: QDialog) -> None:
        """Show a dialog that does not block the window; the same one again replaces it."""
        if earlier := self._dialogs.pop(name, None):
            earlier.close()
            earlier.deleteLater()
        self._dialogs[name] = dialog
        dialog.open() if name == "palette" else dialog.show()


def missing() -> list[str]:
    """Actions nobody wrote a method for; empty (a test holds it so)."""
    return [
        name
        for name in ACTIONS
        if not name.startswith("kind_") and not callable(getattr(Commands, name, None))
    ]


def quit_keys() -> str:
    """The keys of Quit, for the notice about the tray."""
    return keys_text(ACTIONS["quit"])
