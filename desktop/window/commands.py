"""What each action does; one method per row of the table of actions, by its id."""

from __future__ import annotations

from PySide6.QtCore import QDir
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from desktop import strings as s
from desktop.asking import strings as asking
from desktop.system.deleting import delete_index
from desktop.widgets.asking import ask_first
from desktop.window import chips
from desktop.window.actions import ACTIONS
from desktop.window.judging_commands import JudgingCommands
from engine.contract.errors import InklingError


class Commands(JudgingCommands):
    """Does things for a window. Dialogs are imported when first wanted: the window opens sooner."""

    def run(self, name: str) -> None:
        """Do an action by its id; an error a person can read is shown, none is swallowed."""
        if name.startswith("kind_"):
            self._kind(name.removeprefix("kind_"))
            return
        if name.startswith("sort_"):
            self._window.sort(name.removeprefix("sort_"))
            return
        try:
            getattr(self, name)()
        except InklingError as error:
            self._window.tell(error)

    # Search

    def focus_search(self) -> None:
        self._window.search.focus()

    def similar(self) -> None:
        for hit in self._own([self._hit] if self._hit else []):
            self._window.ask.more_like(hit)

    def attach_picture(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._parent, s.PICK_PICTURE, QDir.homePath(), s.PICTURE_FILTER
        )
        if path:
            self._window.ask.search_picture_file(path)

    def paste_picture(self) -> None:
        from desktop.window.query_picture import picture_in

        data = QGuiApplication.clipboard().mimeData()
        if picture_in(data):
            self._window.ask.take_picture(data)
        else:
            self._window.status.flash(s.NO_PICTURE_ON_CLIPBOARD)

    def search_region(self) -> None:
        self._window.set_preview_shown(True)
        self._window.preview.set_region_mode(not self._window.preview.region_mode)

    def _kind(self, kind: str) -> None:
        wanted = None if kind == "any" else kind
        text = self._window.search.text()
        if wanted is not None and chips.values(text, "kind") == [wanted]:
            wanted = None  # the same key again takes the filter away
        self._window.ask.search_for(chips.replace(text, ("kind",), "kind", wanted))

    def history_older(self) -> None:
        self._window.ask.step_history(older=True)

    def history_newer(self) -> None:
        self._window.ask.step_history(older=False)

    def save_search(self) -> None:
        kept = self._window.state.keep(self._window.search.text())
        self._window.state.save()
        self._window.status.flash(s.SEARCH_KEPT if kept else s.SEARCH_FORGOTTEN)

    # Answer

    def ask(self) -> None:
        """Answer what is typed; what is answered already is asked on."""
        w = self._window
        w.ask.send()
        if not w.answering.asks(w.question):
            w.ask.remember()  # a search that was meant, as others are kept; of answers nothing is
            w.answering.ask(w.question)
        elif w.answering.has_failed:
            w.answering.try_again()
        else:
            w.answering.panel.focus_field()

    def follow_up(self) -> None:
        self._window.answering.panel.focus_field()

    def sources(self) -> None:
        """The keys go to the list of sources; Alt and a number show one of them."""
        self._window.results.setFocus()

    def new_question(self) -> None:
        """The conversation goes; the question is there to be typed over."""
        self._window.answering.forget()
        self._window.search.focus()

    def stop_answer(self) -> None:
        self._window.answering.stop()

    def copy_answer(self) -> None:
        self._copy_markdown(self._window.answering.copied_answer(), asking.ANSWER_COPIED)

    def copy_conversation(self) -> None:
        text = self._window.answering.copied_conversation()
        self._copy_markdown(text, asking.CONVERSATION_COPIED)

    def _copy_markdown(self, text: str, said: str) -> None:
        if text:
            QGuiApplication.clipboard().setText(text)
            self._window.status.flash(said)

    def given(self) -> None:
        from desktop.asking.given_dialog import GivenDialog

        last = self._window.answering.conversation.last
        if last is not None and last.found is not None:
            self._show("given", GivenDialog(last.found, self._parent))

    def answer_model(self) -> None:
        self._window.answering.choose_model()

    # View

    def palette(self) -> None:
        from desktop.window.command_palette import CommandPalette

        palette = CommandPalette(self._window.actions_by_id, self._parent)
        palette.chosen.connect(self.run)
        self._show("palette", palette)

    def toggle_preview(self) -> None:
        self._window.set_preview_shown(not self._window.preview.isVisibleTo(self._parent))

    def grid(self) -> None:
        """Pictures beside each other, or rows; for this question."""
        self._window.show_grid(not self._window.results.grid)

    def index_panel(self) -> None:
        self._index("folders")

    def models(self) -> None:
        self._index("model")

    def problems(self) -> None:
        self._index("problems")

    def privacy(self) -> None:
        self._index("privacy")

    def _index(self, tab: str) -> None:
        from desktop.index.panel import IndexPanel

        panel = IndexPanel(self._window.service, self._parent)
        panel.show_tab(tab)
        panel.add_wanted.connect(self.add_folder)
        panel.privacy.action_wanted.connect(self.run)
        self._show("index", panel)

    # Preview

    def next_result(self) -> None:
        self._window.results.step(1)

    def previous_result(self) -> None:
        self._window.results.step(-1)

    def next_page(self) -> None:
        self._window.preview.turn(1)

    def previous_page(self) -> None:
        self._window.preview.turn(-1)

    def zoom_in(self) -> None:
        self._zoom(1)

    def zoom_out(self) -> None:
        self._zoom(-1)

    def _zoom(self, steps: int) -> None:
        """The pictures of the grid where the keys are in it, else the preview."""
        if self._window.results.grid and self._window.results.hasFocus():
            self._window.results.resize_cells(steps)
        else:
            self._window.preview.zoom(steps)

    def zoom_fit(self) -> None:
        self._window.preview.zoom(0)

    def fold(self) -> None:
        """Of long code the part at the cursor where the keys are in it, else all around what was
        found."""
        preview = self._window.preview
        if not (preview.text.hasFocus() and preview.text.fold_here()):
            preview.bar.toggle_open()
            preview.text.setFocus()  # where the cursor goes to a part

    def find(self) -> None:
        self._window.set_preview_shown(True)
        self._window.preview.start_find()

    # Inkling

    def settings(self) -> None:
        from desktop.settings.dialog import SettingsDialog

        dialog = SettingsDialog(self._window.settings, self._parent)
        dialog.restart_wanted.connect(self._window.request_restart)
        dialog.page_wanted.connect(lambda _page: self._index("model"))
        dialog.action_wanted.connect(self.run)
        self._show("settings", dialog)

    def clear_history(self) -> None:
        """Nothing of what was searched for and opened is kept."""
        self._window.state.forget_searches()
        self._window.state.save()
        if self._window.question.empty:
            self._window.show_home()
        self._window.status.flash(s.HISTORY_CLEARED)

    def delete_index(self) -> None:
        """After a question: every folder is forgotten with all that was read of it."""
        ask_first(
            self._parent,
            s.DELETE_INDEX_ASK,
            s.DELETE_INDEX_HELP,
            s.DELETE_INDEX,
            self._delete_index,
        )

    def _delete_index(self) -> None:
        w = self._window
        w.service.let_go()
        w.ask.clear()
        w.results.take_out([hit.path for hit in w.results.all_hits()])
        w.status.show_starting(s.INDEX_IS_DELETED)
        w.service.work(lambda: delete_index(w.base), self._index_deleted, self._index_stays)

    def _index_deleted(self, _: None) -> None:
        self._window.service.start()
        self._window.status.flash(s.INDEX_DELETED)

    def _index_stays(self, error: InklingError) -> None:
        self._window.service.start()
        self._window.tell(error)

    def add_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._parent, s.ADD_FOLDER, QDir.homePath())
        if folder:
            self._window.service.call(
                lambda client: client.add([folder]),
                lambda _answer: self._window.service.refresh(),
                self._window.tell,
            )

    def rescan(self) -> None:
        folders = [str(f["path"]) for f in self._window.service.status.get("folders", ())]
        if not folders:
            self.add_folder()
            return
        # Adding a folder that is watched already looks through it again.
        self._window.service.call(
            lambda client: client.add(folders),
            lambda _answer: self._window.service.refresh(),
            self._window.tell,
        )
        self._window.status.flash(s.FOLDER_SCANNING)

    def pause(self) -> None:
        if self._window.service.status.get("state") == "paused":
            self.resume()
        else:
            self.pause_for(None)

    def pause_for(self, seconds: float | None) -> None:
        self._window.service.call(
            lambda client: client.pause(seconds),
            lambda _answer: self._window.service.refresh(),
            self._window.tell,
        )

    def resume(self) -> None:
        self._window.service.call(
            lambda client: client.resume(),
            lambda _answer: self._window.service.refresh(),
            self._window.tell,
        )

    def shortcuts(self) -> None:
        from desktop.window.shortcut_page import ShortcutPage

        self._show("shortcuts", ShortcutPage(self._parent))

    def dismiss(self) -> None:
        """Escape: end the region, stop the answer, leave it, clear the query, then hide."""
        w = self._window
        if w.preview.region_mode:
            w.preview.set_region_mode(False)
        elif w.answering.running:
            w.answering.stop()
        elif w.answering.shown:
            w.answering.leave()
        elif w.search.text() or w.question.image or w.question.like:
            w.ask.clear()
        else:
            self.hide()

    def hide(self) -> None:
        self._window.request_hide()

    def quit(self) -> None:
        self._window.request_quit()


def missing() -> list[str]:
    """Actions nobody wrote a method for; empty (a test holds it so)."""
    return [
        name
        for name in ACTIONS
        if not name.startswith(("kind_", "sort_")) and not callable(getattr(Commands, name, None))
    ]
