"""The words of a name: folded, taken apart, and spelled in the other ways that people type them."""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from engine.contract.folding import composed, plain

_RUN = re.compile(r"[^\W_]+")
#: A run's words, in its classes: digits, an acronym before a capitalised word, a word.
_WORD = re.compile(r"0+|A+(?=Aa)|A?a+|A+")
_ASCII_WORD = re.compile(r"[0-9]+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
#: Scripts written without spaces: every character is a token, and phrases find the words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
#: How keyboards without these letters write them.
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_HAS_DIGRAPH = re.compile("[äöüøå]")
#: Alphabets that are written in Latin letters, too: Greek, Cyrillic, Armenian, Georgian.
_ALPHABETS = re.compile("[\u0370-\u058f\u10a0-\u10ff]+")
_NOT_LETTERS = re.compile(r"[\W_]+")


def respelled(text: str) -> str:
    """The same in the letters of a plain keyboard: ü as ue, Cyrillic and Greek as Latin; folded.

    Equal to `plain` where there is nothing to spell otherwise.
    """
    if text.isascii():
        return text.lower()
    whole = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8")).casefold()
    whole = _HAS_DIGRAPH.sub(lambda match: match[0].translate(_DIGRAPHS), whole)
    return plain(_ALPHABETS.sub(lambda match: _latin(match[0]), whole))


@lru_cache(maxsize=4096)
def _latin(word: str) -> str:
    # "ου" is read as one sound, which a table of letters can't know.
    return _NOT_LETTERS.sub("", anyascii(word.replace("ου", "ou").replace("ού", "ou"))).lower()


def split_words(text: str) -> list[str]:
    """The words of a name or query, folded; identifiers are taken apart."""
    if text.isascii():
        return [word.lower() for word in _ASCII_WORD.findall(text)]
    words: list[str] = []
    for run in _RUN.findall(_UNSPACED.sub(lambda match: f" {match[0]} ", composed(text))):
        classes = "".join("0" if c.isdecimal() else "A" if c.isupper() else "a" for c in run)
        words.extend(run[m.start() : m.end()].casefold() for m in _WORD.finditer(classes))
    return words


def runs(text: str) -> list[str]:
    """The undivided runs of letters and digits of a folded text."""
    return _RUN.findall(text)


def typed_words(text: str) -> list[tuple[str, str]]:
    """The words of a question, each with its other spelling; the same twice where there is none."""
    words = split_words(text)
    if text.isascii():
        return [(word, word) for word in words]
    pairs: list[tuple[str, str]] = []
    for part in text.split():
        own, other = split_words(part), respelled(part)
        # A part of several words can't be told apart in its other spelling: they may differ.
        spelled = runs(other) if len(own) == 1 else own
        pairs += zip(own, spelled if len(spelled) == len(own) else own, strict=True)
    return pairs


def index_text(name: str) -> str:
    """What the index holds of a name: its words, then its undivided runs where they differ, then
    all of it in its other spelling."""
    words = split_words(name)
    known = set(words)
    extra = [run for run in runs(plain(name)) if run not in known]
    if not name.isascii():
        known.update(extra)
        other = runs(respelled(name))
        if not known.issuperset(other):
            extra += other
    return " ".join(words + extra)


#: Files come folder by folder.
_folder_text = lru_cache(maxsize=256)(index_text)


def index_row(file_id: int, path: str, root: str) -> tuple[int, str, str]:
    """A row of the index; of the folders it holds those from the root's own name downwards."""
    folder, name = os.path.split(path)
    above = len(os.path.dirname(root)) if folder.startswith(root) else 0
    return file_id, index_text(name), _folder_text(folder[above:])
