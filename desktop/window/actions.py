"""Everything the window can do, once: menus, shortcuts, tooltips, palette and help come from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QPalette
from PySide6.QtWidgets import QMenu, QWidget

from desktop import icons, theme
from desktop import strings as s
from desktop.presentation import kinds
from desktop.wording.language import tr

Menu = Literal["Result", "Search", "Answer", "View", "Preview", "Inkling"]
MENUS: tuple[Menu, ...] = ("Result", "Search", "Answer", "View", "Preview", "Inkling")
#: What must be there for the action to make sense.
Needs = Literal["", "hit", "copies", "picture", "pages", "folds", "query", "judged", "answer"]
#: Menus whose actions stand in the main menu itself.
_AT_ONCE: tuple[Menu, ...] = ("View", "Inkling")
#: Actions of other menus that a result's own menu has, too.
_ALSO_ON_RESULTS = ("similar", "search_region")
#: Where its keys work: plain keys such as Space must not take letters from the search field.
Where = Literal["window", "list", "widget"]


_NUMBERED = tuple(f"Alt+{number}" for number in range(1, 10))


@dataclass(frozen=True, slots=True)
class Spec:
    """One action; `id` is also the name of the method that does it (desktop/window/commands.py)."""

    id: str
    title: str
    menu: Menu
    keys: tuple[str, ...] = ()
    icon: str = ""
    needs: Needs = ""
    where: Where = "window"  # "widget": the widget with the focus handles the key itself
    checkable: bool = False


def _filters_by_kind() -> Iterator[Spec]:
    for kind in kinds.WITH_ACTION:
        yield Spec(f"kind_{kind.id}", kind.only, "Search", (kind.key,), kind.icon_name)


ACTIONS: dict[str, Spec] = {
    spec.id: spec
    for spec in (
        Spec("open", "Open", "Result", ("Return",), "open", "hit", "widget"),
        Spec("open_with", "Open With…", "Result", ("Ctrl+O",), "open", "hit"),
        Spec("reveal", "Show in Folder", "Result", ("Ctrl+Shift+R",), "folder", "hit"),
        Spec("quick_look", "Quick Look", "Result", ("Space",), "eye", "hit", "list"),
        Spec("details", "Details", "Result", ("Alt+Return",), "info", "hit"),
        Spec("copy_file", "Copy File", "Result", ("Ctrl+C",), "copy", "hit", "list"),
        Spec("copy_path", "Copy Path", "Result", ("Ctrl+Shift+C",), "copy", "hit"),
        Spec("copy_text", "Copy Text", "Result", ("Ctrl+Shift+T",), "note", "hit"),
        Spec("copy_picture", "Copy Picture", "Result", ("Ctrl+Shift+P",), "picture", "picture"),
        Spec("rename", "Rename…", "Result", ("F2",), "note", "hit"),
        Spec("trash", "Move to Bin", "Result", ("Delete",), "trash", "hit", "list"),
        Spec("undo", "Take Back", "Result", ("Ctrl+Z",), "history", where="list"),
        Spec("leave_out", "Leave This Folder Out", "Result", (), "close", "hit"),
        Spec("terminal", "Terminal Here", "Result", ("Ctrl+Shift+Return",), "code", "hit"),
        Spec("copies", "Copies", "Result", ("Ctrl+Shift+D",), "copy", "copies"),
        Spec("explain", "Why Is This Here?", "Result", ("Ctrl+Shift+E",), "info", "hit"),
        Spec(
            "answers", "This Answers the Question", "Result", ("Ctrl+Shift+Y",), "check", "judged"
        ),
        Spec("no_answer", "This Is No Answer", "Result", ("Ctrl+Shift+N",), "close", "judged"),
        Spec("focus_search", "Go to Search", "Search", ("Ctrl+L", "Ctrl+F"), "search"),
        Spec("similar", "More Like This", "Search", ("Ctrl+E",), "similar", "hit"),
        Spec("attach_picture", "Search with a Picture…", "Search", ("Ctrl+Shift+O",), "picture"),
        Spec("paste_picture", "Paste Picture as Search", "Search", ("Ctrl+Shift+V",), "picture"),
        Spec("search_region", "Search a Region…", "Search", ("Ctrl+R",), "region", "picture"),
        *_filters_by_kind(),
        Spec("kind_any", "Every Kind", "Search", ("Ctrl+6",), "close"),
        Spec("history_older", "Earlier Search", "Search", ("Alt+Up",), "history"),
        Spec("history_newer", "Later Search", "Search", ("Alt+Down",), "history"),
        Spec("save_search", "Keep This Search", "Search", ("Ctrl+D",), "star", "query"),
        Spec("ask", "Ask", "Answer", ("Ctrl+Return",), "ask", "query"),
        Spec("follow_up", "Ask a Follow-Up Question", "Answer", ("Ctrl+J",), "ask", "answer"),
        # The panel of the answer tells them apart.
        Spec("sources", "Go to a Source", "Answer", _NUMBERED, "index", "answer", "widget"),
        Spec("new_question", "New Question", "Answer", ("Ctrl+N",), "add", "answer"),
        Spec("stop_answer", "Stop the Answer", "Answer", (), "stop", "answer"),
        Spec("copy_answer", "Copy Answer", "Answer", ("Ctrl+Shift+J",), "copy", "answer"),
        Spec(
            "copy_conversation", "Copy Conversation", "Answer", ("Ctrl+Shift+M",), "copy", "answer"
        ),
        Spec("given", "What the Model Was Given…", "Answer", ("Ctrl+Shift+G",), "info", "answer"),
        Spec("answer_model", "Language Model…", "Answer", (), "model", "answer"),
        Spec("palette", "All Actions…", "View", ("Ctrl+K",), "keyboard"),
        Spec("toggle_preview", "Preview", "View", ("F3", "Ctrl+P"), "panel", checkable=True),
        Spec("grid", "Grid", "View", ("Ctrl+G",), "picture", checkable=True),
        Spec("sort_relevance", "Sort by relevance", "View", (), "index"),
        Spec("sort_date", "Sort by date", "View", (), "index"),
        Spec("sort_name", "Sort by name", "View", (), "index"),
        Spec("sort_size", "Sort by size", "View", (), "index"),
        Spec("sort_folder", "Sort by folder", "View", (), "index"),
        Spec("index_panel", "Index…", "View", ("Ctrl+I",), "index"),
        Spec("models", "Models…", "View", (), "index"),
        Spec("problems", "Problems and Withheld Files…", "View", ("Ctrl+Shift+I",), "warning"),
        Spec("next_result", "Next Result", "Preview", ("Ctrl+Down",), "chevron-down", "hit"),
        Spec("previous_result", "Previous Result", "Preview", ("Ctrl+Up",), "chevron-up", "hit"),
        Spec("next_page", "Next Page", "Preview", ("Alt+Right",), "chevron-right", "pages"),
        Spec("previous_page", "Previous Page", "Preview", ("Alt+Left",), "chevron-left", "pages"),
        Spec("zoom_in", "Zoom In", "Preview", ("Ctrl++", "Ctrl+="), "zoom-in", "hit"),
        Spec("zoom_out", "Zoom Out", "Preview", ("Ctrl+-",), "zoom-out", "hit"),
        Spec("zoom_fit", "Fit", "Preview", ("Ctrl+0",), "fit", "hit"),
        Spec("fold", "Fold or Show Lines", "Preview", ("Ctrl+Shift+L",), "code", "folds"),
        Spec("find", "Find in Preview", "Preview", ("Ctrl+Shift+F",), "search", "hit"),
        Spec("settings", "Settings…", "Inkling", ("Ctrl+,",), "settings"),
        Spec("add_folder", "Add Folder…", "Inkling", ("Ctrl+Shift+A",), "folder-add"),
        Spec("rescan", "Look for Changes Now", "Inkling", ("F5",), "retry"),
        Spec("pause", "Pause Indexing", "Inkling", ("Ctrl+Shift+Space",), "pause"),
        Spec("privacy", "Privacy…", "Inkling", (), "shield"),
        Spec("clear_history", "Clear History", "Inkling", (), "trash"),
        Spec("forget_judged", "Forget What I Judged", "Inkling", (), "trash"),
        Spec("delete_index", "Delete the Index…", "Inkling", (), "trash"),
        Spec("shortcuts", "Keyboard Shortcuts", "Inkling", ("F1",), "keyboard"),
        Spec("dismiss", "Clear, Then Hide", "Inkling", ("Escape",), "close", where="widget"),
        Spec("hide", "Hide Window", "Inkling", ("Ctrl+W",), "close"),
        Spec("quit", "Quit Inkling", "Inkling", ("Ctrl+Q",), "quit"),
    )
}


def build(window: QWidget, list_view: QWidget, run: Callable[[str], None]) -> dict[str, QAction]:
    """A QAction for every row, with its shortcut at work where the row says."""
    made = {}
    for spec in ACTIONS.values():
        action = QAction(tr(spec.title), window)
        action.setObjectName(spec.id)
        action.setCheckable(spec.checkable)
        action.setToolTip(tooltip(spec))
        action.triggered.connect(lambda _checked=False, name=spec.id: run(name))
        if spec.where == "widget":
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        else:
            in_list = spec.where == "list"
            context = Qt.ShortcutContext
            action.setShortcutContext(context.WidgetShortcut if in_list else context.WindowShortcut)
            (list_view if in_list else window).addAction(action)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        made[spec.id] = action
    return made


def main_menu(actions: dict[str, QAction], parent: QWidget) -> QMenu:
    """Every action: what concerns the whole window at once, the rest by menu."""
    menu = QMenu(parent)
    parts = {title: menu.addMenu(tr(title)) for title in MENUS if title not in _AT_ONCE}
    orders = QMenu(s.SORT, menu)
    for title in MENUS:
        if title in _AT_ONCE:
            menu.addSeparator()
        for spec in (one for one in ACTIONS.values() if one.menu == title):
            if spec.id.startswith("sort_"):
                if orders.isEmpty():
                    menu.addMenu(orders)
                orders.addAction(actions[spec.id])
            else:
                parts.get(title, menu).addAction(actions[spec.id])
    return menu


def result_menu(actions: dict[str, QAction], parent: QWidget) -> QMenu:
    """What can be done with a result."""
    menu = QMenu(parent)
    for spec in ACTIONS.values():
        if spec.menu == "Result" or spec.id in _ALSO_ON_RESULTS:
            menu.addAction(actions[spec.id])
    return menu


def colour(actions: dict[str, QAction], palette: QPalette) -> None:
    """Draw the actions' icons in the palette's colours."""
    c = theme.of(palette)
    for name, action in actions.items():
        if ACTIONS[name].icon:
            action.setIcon(icons.icon(ACTIONS[name].icon, c.muted, c.faded))


def keys_text(spec: Spec) -> str:
    """The action's first key as the platform writes it."""
    if not spec.keys:
        return ""
    return QKeySequence(spec.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)


def tooltip(spec: Spec) -> str:
    """Title and key."""
    keys = keys_text(spec)
    title = tr(spec.title).rstrip(" …")
    return f"{title} ({keys})" if keys else title
