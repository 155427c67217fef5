"""Settings, drawn from the one table; what is changed holds at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.presentation import archive_strings as a
from desktop.settings.archives_page import ArchivesPage
from desktop.settings.settings_client import SettingsClient
from desktop.theme import GRID, HALF
from desktop.wording import telling
from desktop.wording.language import tr
from engine.contract.errors import InklingError
from engine.contract.settings import SECTIONS, SETTINGS, Setting, Value

_FIELD = 26 * GRID
#: What a section offers besides settings: an action's id, title, help, what the button says.
_ACTIONS = {
    "Privacy": (
        ("privacy", s.PRIVACY_TITLE, s.PRIVACY_HELP, s.PRIVACY_SHOW),
        ("clear_history", s.CLEAR_HISTORY_TITLE, s.CLEAR_HISTORY_HELP, s.CLEAR_HISTORY),
        ("delete_index", s.DELETE_INDEX_TITLE, s.DELETE_INDEX_HELP, s.DELETE_INDEX_BUTTON),
    )
}


class SettingsDialog(QDialog):
    """Sections left, rows right."""

    restart_wanted = Signal()
    action_wanted = Signal(str)  # an action of the window, by its id
    page_wanted = Signal(str)  # a setting is chosen on a page of its own: which one

    def __init__(self, settings: SettingsClient, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.editors: dict[str, QWidget] = {}
        self.setWindowTitle(s.SETTINGS_TITLE)
        self._sections = QListWidget(self)
        self._sections.setFixedWidth(20 * GRID)
        self._sections.setAccessibleName(s.SETTINGS_TITLE)
        self._sections.setSpacing(1)
        self._pages = QStackedWidget(self)
        for section in SECTIONS:
            item = QListWidgetItem(tr(section), self._sections)
            # Its own measure is that before the style sheet, until something is laid out anew.
            item.setSizeHint(QSize(0, 4 * GRID))
            self._pages.addWidget(self._page(section))
        item = QListWidgetItem(a.TITLE, self._sections)
        item.setSizeHint(QSize(0, 4 * GRID))
        self.archives = ArchivesPage(settings.service, self)
        self._pages.addWidget(_scrolled(self.archives, self))
        self._sections.currentRowChanged.connect(self._pages.setCurrentIndex)
        self._sections.setCurrentRow(0)
        self._message = QLabel(self)
        self._message.setForegroundRole(self._message.palette().ColorRole.BrightText)
        self._message.setWordWrap(True)
        self._message.setContentsMargins(3 * GRID, GRID, 3 * GRID, GRID)
        self._message.hide()
        self._restart = QPushButton(s.RESTART_NOW, self)
        self._restart.clicked.connect(self.restart_wanted)
        self._restart.hide()
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._pages, 1)
        right.addWidget(self._message)
        foot = QHBoxLayout()
        foot.setContentsMargins(3 * GRID, GRID, 3 * GRID, 2 * GRID)
        foot.addStretch(1)
        foot.addWidget(self._restart)
        right.addLayout(foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, GRID, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._sections)
        row.addLayout(right, 1)
        self.resize(96 * GRID, 72 * GRID)
        settings.changed.connect(self._follow)
        settings.refused.connect(lambda error: self._say(telling.said(error)))
        if messages := settings.values.messages:
            self._say(" ".join([s.SETTINGS_MESSAGE, *messages]))

    def _page(self, section: str) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(3 * GRID)
        for row in SETTINGS.values():
            if row.section == section and not row.hidden:
                column.addWidget(self._row(row))
        for action in _ACTIONS.get(section, ()):
            column.addWidget(self._action(action))
        column.addStretch(1)
        return _scrolled(page, self)

    def _row(self, row: Setting) -> QWidget:
        """Title and help left, the editor right; long editors below."""
        widget = QWidget(self)
        editor = self._editor(row)
        editor.setAccessibleName(tr(row.title))
        editor.setAccessibleDescription(tr(row.help))
        self.editors[row.key] = editor
        notes = {"window": s.RESTART_WINDOW, "indexer": s.RESTART_INDEXER}
        help_text = " ".join(filter(None, (tr(row.help), notes.get(row.restart))))
        return self._lay_out_row(widget, tr(row.title), help_text, editor)

    def _action(self, action: tuple[str, str, str, str]) -> QWidget:
        """A row whose button does something at once."""
        name, title, help_text, label = action
        button = QPushButton(label, self)
        button.setAutoDefault(False)
        button.setAccessibleDescription(help_text)
        button.clicked.connect(lambda: self.action_wanted.emit(name))
        return self._lay_out_row(QWidget(self), title, help_text, button)

    def _lay_out_row(
        self, widget: QWidget, title_text: str, help_text: str, editor: QWidget
    ) -> QWidget:
        title = QLabel(title_text, widget)
        title.setFont(theme.font(self.font(), 0.5, bold=True))
        title.setBuddy(editor)
        about = QLabel(help_text, widget)
        about.setTextFormat(Qt.TextFormat.PlainText)
        about.setWordWrap(True)
        about.setForegroundRole(about.palette().ColorRole.PlaceholderText)
        texts = QVBoxLayout()
        texts.setSpacing(HALF)
        texts.addWidget(title)
        texts.addWidget(about)
        wide = isinstance(editor, QLineEdit | QPlainTextEdit)
        if wide:
            texts.addWidget(editor)
        line = QHBoxLayout(widget)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4 * GRID)
        line.addLayout(texts, 1)
        if not wide:
            line.addWidget(editor, 0, Qt.AlignmentFlag.AlignTop)
        return widget

    def _editor(self, row: Setting) -> QWidget:
        value = self._settings.values.get(row.key)
        if row.page:
            button = QPushButton(s.CHOOSE, self)
            button.setAutoDefault(False)  # Return in another row is not meant for it
            button.clicked.connect(lambda: self.page_wanted.emit(row.page))
            return button
        if row.choices:
            return self._choice(row, str(value))
        if isinstance(value, bool):
            box = QCheckBox(self)
            box.setChecked(value)
            box.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # flush with the other editors
            box.toggled.connect(self._setter(row))
            return box
        if isinstance(value, int):
            return self._number(row, value)
        if isinstance(value, tuple):
            lines = LinesEdit(value, self)
            lines.edited.connect(self._setter(row))
            return lines
        field = QLineEdit(value, self)
        field.editingFinished.connect(lambda: self._set(row, field.text().strip()))
        return field

    def _choice(self, row: Setting, value: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setFixedWidth(_FIELD)
        for choice, label in row.choices:
            combo.addItem(tr(label), choice)
        combo.setCurrentIndex(max(0, combo.findData(value)))
        combo.currentIndexChanged.connect(lambda i: self._set(row, combo.itemData(i)))
        return combo

    def _number(self, row: Setting, value: int) -> QSpinBox:
        """Bounds from the table; where 0 has a meaning it stands, in words, below the least."""
        spin = QSpinBox(self)
        spin.setMinimumWidth(_FIELD * 2 // 3)
        low, high = row.bounds or (0, 10**9)
        spin.setRange(min(low, 0) if row.zero else low, high)
        spin.setSuffix(f" {tr(row.unit)}" if row.unit else "")
        spin.setGroupSeparatorShown(True)
        spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        if row.zero:
            spin.setSpecialValueText(tr(row.zero))
        step = 25 if row.key == "scale" else max(1, 10 ** (len(str(row.default or low)) - 1) // 2)
        spin.setSingleStep(step)
        spin.setValue(value)
        spin.setKeyboardTracking(False)
        store = self._setter(row)

        def take(number: int) -> None:
            # Between 0 and the least allowed value there is nothing: go on to the next one.
            if row.zero and 0 < number < low:
                spin.setValue(low if number > self._settings.values.get(row.key) else 0)  # type: ignore[operator]
            else:
                store(number)

        spin.valueChanged.connect(take)
        return spin

    def _setter(self, row: Setting) -> Callable[[Value | list[str]], None]:
        return lambda value: self._set(row, value)

    def _set(self, row: Setting, value: object) -> None:
        if isinstance(value, list):
            value = tuple(value)
        try:
            self._settings.set(row.key, value)
        except InklingError as error:
            self._say(telling.said(error))
            return
        self._message.hide()

    def _follow(self, key: str) -> None:
        """A setting has changed, here or elsewhere: show it."""
        if SETTINGS[key].restart == "window":
            self._restart.show()
        if SETTINGS[key].hidden:
            return
        editor, value = self.editors[key], self._settings.values.get(key)
        with QSignalBlocker(editor):  # showing it must not set it again
            match editor:
                case QComboBox():
                    editor.setCurrentIndex(max(0, editor.findData(value)))
                case QCheckBox():
                    editor.setChecked(bool(value))
                case QSpinBox() if isinstance(value, int):
                    editor.setValue(value)
                case LinesEdit() if isinstance(value, tuple):
                    editor.show_lines(value)
                case QLineEdit() if editor.text().strip() != value:
                    editor.setText(str(value))

    def hideEvent(self, event: QHideEvent) -> None:
        """What was typed holds, however the dialog is closed."""
        for editor in self.editors.values():
            if isinstance(editor, LinesEdit):
                editor.finish()
        super().hideEvent(event)

    def _say(self, text: str) -> None:
        self._message.setText(text)
        self._message.show()


def _scrolled(page: QWidget, parent: QWidget) -> QScrollArea:
    area = QScrollArea(parent)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(page)
    return area


class LinesEdit(QPlainTextEdit):
    """A list of texts, one a line; told when the person leaves it, as a QLineEdit does.

    Not at each key: a pattern such as “*.log” begins with “*”, which leaves out every file.
    """

    edited = Signal(object)  # list[str]

    def __init__(self, lines: Sequence[str], parent: QWidget) -> None:
        super().__init__("\n".join(lines), parent)
        self.setProperty("class", "field")
        self.setFont(theme.fixed_font())
        self.setFixedHeight(12 * GRID)
        self.setTabChangesFocus(True)

    def lines(self) -> list[str]:
        """The lines that hold something."""
        return [line.strip() for line in self.toPlainText().split("\n") if line.strip()]

    def show_lines(self, lines: Sequence[str]) -> None:
        """Put other lines in, if they are others; what is being typed is never overwritten."""
        if self.lines() != list(lines) and not self.document().isModified():
            self.setPlainText("\n".join(lines))

    def finish(self) -> None:
        """The person is done with it."""
        if self.document().isModified():
            self.document().setModified(False)
            self.edited.emit(self.lines())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.finish()
