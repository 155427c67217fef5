"""The settings' page of archives: which are asked, how each is, adding and removing one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.connection import IndexerConnection
from desktop.presentation import archive_strings as a
from desktop.theme import GRID, HALF
from desktop.wording import telling
from desktop.wording.language import tr
from engine.contract import codec
from engine.contract.archives import FAULTS, OTHER_MODEL, REMEDIES, ArchiveTold
from engine.contract.errors import InklingError


class ArchivesPage(QWidget):
    """Asks the indexer when it is shown."""

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        about = _muted(a.HELP, self)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2 * GRID)
        self.check = QPushButton(a.CHECK, self)
        self.check.setAutoDefault(False)
        self.check.clicked.connect(self.look)
        self.name = self._field(a.NAME, a.NAME_HELP)
        self.address = self._field(a.ADDRESS, "https://archive.example.org")
        self.token = self._field(a.TOKEN, a.TOKEN_HELP)
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.authority = self._field(a.AUTHORITY, a.AUTHORITY_HELP)
        choose = QPushButton(a.CHOOSE_FILE, self)
        choose.setAutoDefault(False)
        choose.setAccessibleName(f"{a.AUTHORITY}: {a.CHOOSE_FILE}")
        choose.clicked.connect(self._choose)
        file = QHBoxLayout()
        file.addWidget(self.authority, 1)
        file.addWidget(choose)
        form = QFormLayout()
        form.setSpacing(GRID)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(a.NAME, self.name)
        form.addRow(a.ADDRESS, self.address)
        form.addRow(a.TOKEN, self.token)
        form.addRow(a.AUTHORITY, file)
        for field in (self.name, self.address, self.token, file):
            if (label := form.labelForField(field)) is not None:  # beside the field's middle
                label.setMinimumHeight(self.name.sizeHint().height())
        self.add = QPushButton(a.ADD, self)
        self.add.setAutoDefault(False)
        self.add.clicked.connect(self._add)
        self.said = QLabel(self)
        self.said.setWordWrap(True)
        self.said.setForegroundRole(self.said.palette().ColorRole.BrightText)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(about)
        column.addLayout(self._rows)
        again = QHBoxLayout()
        again.addWidget(self.check)
        again.addStretch(1)
        column.addLayout(again)
        column.addLayout(form)
        column.addLayout(foot)
        column.addWidget(self.said)
        column.addStretch(1)

    def _field(self, name: str, hint: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setPlaceholderText(hint)
        field.setToolTip(hint)
        field.setAccessibleName(name)
        field.setAccessibleDescription(hint)
        return field

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.look()

    def look(self) -> None:
        """Ask each how it is."""
        self._service.call(lambda client: client.archives(), self._show, self._tell, key="archives")

    def _add(self) -> None:
        name, url, token, file = (
            field.text().strip() for field in (self.name, self.address, self.token, self.authority)
        )
        self.add.setEnabled(False)
        self.said.setText(a.ADDING)
        self._service.call(
            lambda client: client.add_archive(name, url, token, file), self._added, self._tell
        )

    def _added(self, told: Sequence[dict[str, Any]]) -> None:
        for field in (self.name, self.address, self.token, self.authority):
            field.clear()
        self._show(told)

    def _remove(self, name: str) -> None:
        self._service.call(lambda client: client.remove_archive(name), self._show, self._tell)

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, a.AUTHORITY)
        if path:
            self.authority.setText(path)

    def _tell(self, error: InklingError) -> None:
        self.add.setEnabled(True)
        self.said.setText(telling.said(error))

    def _show(self, told: Sequence[dict[str, Any]]) -> None:
        self.add.setEnabled(True)
        self.said.clear()
        while (item := self._rows.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.setParent(None)
                row.deleteLater()
        archives = [codec.from_data(one, ArchiveTold) for one in told]
        for archive in archives:
            self._rows.addWidget(self._row(archive))
        if not archives:
            self._rows.addWidget(_muted(a.NONE, self))
        self.check.setVisible(bool(archives))

    def _row(self, archive: ArchiveTold) -> QWidget:
        row = QWidget(self)
        name = QLabel(archive.name, row)
        name.setFont(theme.font(self.font(), 0.5, bold=True))
        where = " · ".join(part for part in (archive.title, archive.url) if part)
        state = _muted(f"{where}\n{health(archive)}", row)
        remove = QPushButton(a.REMOVE, row)
        remove.setAutoDefault(False)
        remove.setAccessibleName(a.REMOVE_ONE.format(name=archive.name))
        remove.clicked.connect(lambda: self._remove(archive.name))
        texts = QVBoxLayout()
        texts.setSpacing(HALF)
        texts.addWidget(name)
        texts.addWidget(state)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addLayout(texts, 1)
        line.addWidget(remove)
        return row


def health(archive: ArchiveTold) -> str:
    """How an archive is, in the window's language."""
    for code, sentence in FAULTS.items():
        if code == archive.fault:
            return f"{tr(sentence).format(name=archive.name)} {tr(REMEDIES[code])}"
    if not archive.judged:
        return f"{a.ANSWERS} {tr(OTHER_MODEL).format(model=archive.model)}"
    return a.ANSWERS


def _muted(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
