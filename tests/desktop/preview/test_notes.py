"""Notes in the preview: Markdown as it is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QUrl
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.presentation import highlight
from desktop.preview.pane import PreviewPane
from engine.contract.codec import from_data
from engine.contract.types import Hit
from tests.desktop.preview.previewing import blocks, show
from tests.desktop.scripted_indexer import hit


def test_markdown_is_formatted_and_its_source_a_click_away(
    qtbot: QtBot, pane: PreviewPane, tmp_path: Path
) -> None:
    file = tmp_path / "a.md"
    file.write_text("# Head\n\nSome *slanted* words here.\n\n![x](http://127.0.0.1:9/x.png)\n")
    found = hit(
        str(file),
        snippet="Some *slanted* words here.",
        evidence=[{"type": "text", "start": 15, "end": 20, "word": "words"}],
    )
    show(qtbot, pane, found)
    assert pane.markdown.isVisible()
    assert pane.markdown.toPlainText().startswith("Head\nSome slanted words here.")
    assert [sel.cursor.selectedText() for sel in pane.markdown.extraSelections()] == ["words"]
    pane.bar._source.click()
    assert pane.text.isVisible()
    assert pane.text.toPlainText().startswith("# Head")


def test_better_evidence_of_a_later_stage_is_marked(
    qtbot: QtBot, pane: PreviewPane, tmp_path: Path
) -> None:
    file = tmp_path / "a.md"
    file.write_text("# Cake\n\nBake it with cinnamon.\n")

    def found(*spans: tuple[int, int]) -> dict[str, Any]:
        marks = [{"type": "text", "start": a, "end": b, "word": "w"} for a, b in spans]
        return hit(str(file), snippet="Bake it with cinnamon.", evidence=marks)

    def marked() -> list[str]:
        return [sel.cursor.selectedText() for sel in pane.markdown.extraSelections()]

    show(qtbot, pane, found((0, 4)))
    assert marked() == ["Bake"]
    pane.show_hit(from_data(found((0, 4), (13, 21)), Hit))
    assert marked() == ["Bake", "cinnamon"]


NOTE = """---
title: Weekly review
tags: [work]
---

# Weekly 📈 review

The *gateway* stood, see [the table](#numbers) and [more](https://example.org/x).
![a diagram](http://127.0.0.1:9/x.png)

- [x] certificates
- [ ] deposit

> quoted

```python
def backoff(attempt): return "😀" # half
```

    indented

## Numbers

| Region | Count |
|--------|------:|
| North  | 12    |
"""


def test_a_note_with_everything_in_it_is_well_set(
    qtbot: QtBot, pane: PreviewPane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.md"
    file.write_text(NOTE)
    snippet = "The *gateway* stood, see [the table](#numbers)"
    sentence = {"type": "text", "start": 0, "end": 20, "word": ""}  # with signs in it
    show(qtbot, pane, hit(str(file), snippet=snippet, evidence=[sentence]))
    view, c = pane.markdown, theme.of(pane.palette())
    lines = [block.text() for block in blocks(view)]
    assert lines[:3] == ["title: Weekly review", "tags: [work]", "Weekly 📈 review"]
    assert "[a diagram]" in lines[3]
    assert [sel.cursor.selectedText() for sel in view.extraSelections()] == ["The gateway stood"]

    def colour(word: str) -> str:
        found = view.document().find(word)
        found.setPosition(found.selectionStart() + 1)
        return found.charFormat().foreground().color().name()

    assert colour("title") == c.muted.name()
    assert colour("quoted") == c.muted.name()
    assert colour("def") == highlight.colour("keyword", dark=False).name()
    assert colour("# half") == highlight.colour("comment", dark=False).name()  # beyond an emoji
    shot = view.viewport().grab().toImage()

    def beside(word: str, dx: int) -> str:
        place = view.cursorRect(view.document().find(word))
        start = view.document().find(word)
        start.setPosition(start.selectionStart())
        left = view.cursorRect(start).left()
        return shot.pixelColor(left + dx, place.center().y()).name()

    assert beside("def", -8) == beside("indented", -8) == c.raised.name()  # panels
    assert c.accent.name() in {beside("certificates", dx) for dx in range(-22, -2)}  # ticked
    assert c.accent.name() not in {beside("deposit", dx) for dx in range(-22, -2)}
    assert beside("quoted", -15) == c.line.name()
    opened: list[str] = []
    monkeypatch.setattr(
        "desktop.preview.markdown.QDesktopServices.openUrl", lambda url: opened.append(url.url())
    )
    pane.resize(500, 250)
    view.verticalScrollBar().setValue(0)
    for link in ("https://example.org/x", "file:///etc/passwd", "other.md", "#numbers"):
        view.anchorClicked.emit(QUrl(link))
    assert opened == ["https://example.org/x"]  # nothing of this machine is opened by a note
    assert view.verticalScrollBar().value() > 0
    at = view.verticalScrollBar().value()
    dark = theme.palette(theme.colours(dark=True, accent=c.accent))
    view.setPalette(dark)
    assert colour("def") == highlight.colour("keyword", dark=True).name()
    assert view.verticalScrollBar().value() == at


def test_markdown_is_set_to_be_read(qtbot: QtBot, pane: PreviewPane, tmp_path: Path) -> None:
    file = tmp_path / "note.md"
    file.write_text("# Title\n\n" + "A sentence that is long enough to be wrapped. " * 20)
    pane.resize(1400, 600)
    show(qtbot, pane, hit(str(file)))
    view = pane.markdown
    line = view.document().findBlockByNumber(1).layout().lineAt(0)
    assert 50 < line.textLength() < 90
    heights = [block.layout().lineAt(0).ascent() for block in blocks(view)]
    assert 1.3 < heights[0] / heights[1] < 1.8
    pane.resize(400, 600)
    qtbot.waitUntil(lambda: view.horizontalScrollBar().maximum() == 0)
