"""What an answer can't hold and why, with the one action that helps: one row each. Answers carry
code and parameters (`Notice`); faces word them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.contract.types import Notice

NoticeCode = Literal[
    "language",
    "script",
    "no-sight",
    "no-folders",
    "nothing-indexed",
    "nothing-to-read",
    "words-only",
    "unproven",
    "picture-stays",
]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A row of the table."""

    sentence: str  # with {names} of parameters
    button: str  # what helps
    action: str  # the same as an action of the window, by its id
    command: str  # and in a terminal


_MODEL = ("Choose Another Model", "models", "inkling model list")

NOTICES: dict[NoticeCode, NoticeRow] = {
    "language": NoticeRow(
        "{model} does not read {language}: only the words were looked for, as they are typed.",
        *_MODEL,
    ),
    "script": NoticeRow(
        "{model} does not read this script: only the words were looked for, as they are typed.",
        *_MODEL,
    ),
    "no-sight": NoticeRow(
        "How pictures look is not compared here: the picture was asked by its words alone.",
        "Settings…",
        "settings",
        "inkling model list",
    ),
    "picture-stays": NoticeRow(
        "Archives were not asked: a picture that you search with stays on this machine.",
        "Settings…",
        "settings",
        "inkling archive list",
    ),
    "words-only": NoticeRow(
        "{model} can't be asked now: only names and words were searched, and how far the sources"
        " hold what is said is not measured.",
        *_MODEL,
    ),
    "unproven": NoticeRow(
        "The model that reads your files failed: how far the sources hold the last sentences was"
        " not measured.",
        *_MODEL,
    ),
    "no-folders": NoticeRow(
        "No folder is watched yet: there is nothing to find.",
        "Add Folder…",
        "add_folder",
        "inkling add FOLDER",
    ),
    "nothing-to-read": NoticeRow(
        "There is nothing in this archive that you may read: ask whoever runs it.",
        "Show Index",
        "index_panel",
        "inkling status",
    ),
    "nothing-indexed": NoticeRow(
        "Of none of the {files} files anything could be read: they are found by name alone.",
        "Show Problems",
        "problems",
        "inkling problems",
    ),
}

#: Languages that a question is told to be in, by ISO 639-1.
LANGUAGES: Mapping[str, str] = {
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "sv": "Swedish",
    "tr": "Turkish",
    "vi": "Vietnamese",
}


def notice(code: NoticeCode, **told: str) -> Notice:
    """One of these with its parameters."""
    return Notice(code, told)


def worded(said: Notice) -> tuple[str, NoticeRow] | None:
    """The sentence in English, and its row; None for a code of a newer Inkling."""
    row = next((row for code, row in NOTICES.items() if code == said.code), None)
    if row is None:
        return None
    told = dict(said.told)
    if "language" in told:
        told["language"] = LANGUAGES.get(told["language"], told["language"])
    return row.sentence.format_map(told), row
