"""How well one name answers a question: its parts, and the one score made of them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.contract.folding import plain
from engine.contract.types import NameParts
from indexer.ledger.name_words import respelled, split_words

#: A word that this many names hold says nothing when it stands alone.
COMMON = 2_000
COMMON_WEIGHT = math.log(2)
#: Of a word in no name, as large as that of a word in a hundred names; short ones are mostly "the".
_UNKNOWN_WEIGHT = math.log(1 + COMMON / 100)
#: What a word counts where the name holds it otherwise than as the beginning of a word.
ONE_TYPO, TWO_TYPOS, INSIDE = 0.8, 0.65, 0.6
_NOT_LETTERS = re.compile(r"[\W_]+")
#: The shortest word looked for inside others.
_LONG_ENOUGH = 4
#: The score of a stem typed, the best without; and what other separators than the name's count.
STEM, NO_STEM, SAME_LETTERS = 0.98, 0.97, 0.9
#: The folders (and the beginning of the name) that a path of several parts speaks of.
PATH = 0.75


@dataclass(slots=True)
class Word:
    """A word of a question and what the vocabulary knows of it."""

    text: str  # folded
    other: str  # in the letters of a plain keyboard; the same where there is nothing to spell so
    files: int = 0  # names that hold it
    below: int = 0  # files in folders that hold it
    spelled: Sequence[str] = ()  # the commonest known words that begin so, ...
    all_spelled: bool = False  # ... which are all
    near: Sequence[tuple[str, int]] = ()  # where nothing holds it: known words, typing errors
    longer: Sequence[str] = ()  # known words that it is inside of

    @property
    def weight(self) -> float:
        """How much it says: falling with the names that hold it; short unknown ones little."""
        if self.files:
            return math.log(1 + COMMON / self.files)
        return _UNKNOWN_WEIGHT if len(self.text) > 3 else COMMON_WEIGHT


@dataclass(slots=True)
class Question:
    """What was typed, in the forms that names are compared with."""

    typed: str
    words: Mapping[str, Word]  # distinct
    order: Sequence[str]  # as typed
    text: str = field(init=False)
    other: str = field(init=False)
    letters: str = field(init=False)
    path: tuple[str, ...] = field(init=False)
    place: str = field(init=False)  # the absolute path that was typed, or ""
    weights: dict[str, float] = field(default_factory=dict)
    weight: float = 0.0
    misspelled: bool = False

    def __post_init__(self) -> None:
        self.text = plain(self.typed)
        self.other = respelled(self.typed)
        self.letters = _letters(self.text)
        self.path = path_parts(self.typed)
        place = os.path.expanduser(self.typed)
        self.place = place if os.path.isabs(place) else ""
        self.weigh()

    def weigh(self) -> None:
        """Again after the vocabulary was asked."""
        self.weights = {text: word.weight for text, word in self.words.items()}
        self.weight = sum(self.weights.values())
        self.misspelled = any(word.near for word in self.words.values())


def path_parts(typed: str) -> tuple[str, ...]:
    """The parts of a path that was typed, folded; none where it is no path of several."""
    parts = [" ".join(split_words(part)) for part in typed.replace("\\", "/").split("/")]
    parts = [part for part in parts if part]
    return tuple(parts) if len(parts) > 1 else ()


#: id, path, mtime_ns, the index's words of the name and of the folders.
Row = tuple[int, bytes, int, str, str]


def answer(row: Row, question: Question) -> tuple[float, NameParts]:
    """Score 0..1, and its parts: 1 for this very name, its stem, all words, some of the words."""
    path = os.fsdecode(row[1])
    name = path[path.rfind(os.sep) + 1 :]
    own = plain(name)
    other = own if name.isascii() else respelled(name)
    whole = _whole(own, other, question)
    words, folders = f" {row[3]} ", f" {row[4]} "
    total = question.weight
    held, in_folder, typos, worth = 0, 0, 0, 0.0
    places: dict[str, int] = {}
    for text, word in question.words.items():
        strength, place, errors = _find(word, words)
        if strength:
            held += 1
            worth += question.weights[text] * strength
            typos += errors
            places[text] = place
        elif _find(word, folders)[0]:
            in_folder += 1
    count = len(question.words)
    coverage = worth / total if total else whole
    letters = len(_letters(os.path.splitext(own)[0])) or 1
    cover = min(1.0, sum(map(len, places)) / letters)
    order = [places[text] for text in question.order if text in places]
    in_order = float(held > 0 and order == sorted(order))
    folder = in_folder / count if count else 0.0
    if held == count:
        score = (0.75 + 0.15 * cover + 0.08 * in_order) * coverage
    elif held + in_folder == count:
        strength = worth / (total * held / count) if held and total else 1.0
        score = (0.45 + 0.2 * held / count) * min(1.0, max(strength, TWO_TYPOS))
    else:
        score = 0.4 * coverage * (0.96 + 0.03 * cover + 0.01 * in_order)
    if question.path and _on_path(path, question.path):
        score = max(score, PATH)
    if path == question.place or _same(own, other, question):
        whole = score = 1.0
    else:
        score = max(score, STEM) if whole == 1.0 else min(score, NO_STEM)
    spelling = _spelling(row, question) if question.misspelled else ""
    parts = NameParts(whole, coverage, cover, in_order, folder, typos, spelling)
    return score, parts


def _find(word: Word, words: str) -> tuple[float, int, int]:
    """How well words, each between spaces, hold a word: strength 0..1, place, typing errors."""
    for text in (word.text,) if word.other == word.text else (word.text, word.other):
        # One letter stands for itself: as a beginning it would be half of all words.
        place = words.find(f" {text}" if len(text) > 1 else f" {text} ")
        if place >= 0:
            return 1.0, place, 0
    for near, typos in word.near:
        if (place := words.find(f" {near} ")) >= 0:
            return ONE_TYPO if typos == 1 else TWO_TYPOS, place, typos
    if len(word.text) >= _LONG_ENOUGH and (place := words.find(word.text)) >= 0:
        return INSIDE, place, 0
    return 0.0, -1, 0


def _whole(own: str, other: str, question: Question) -> float:
    """1 for the name or its stem, a little less with other separators, else 0."""
    if not question.text:
        return 0.0
    whole = 0.0
    for name in (own,) if own == other else (own, other):
        stems = _stems(name)
        if any(_same(form, form, question) for form in (name, *stems)):
            return 1.0
        if _begins_alike(name, question.letters) and question.letters in map(
            _letters, (name, *stems)
        ):
            whole = SAME_LETTERS
    return whole


def _same(own: str, other: str, question: Question) -> bool:
    return question.text in (own, other) or question.other in (own, other)


def _stems(name: str) -> list[str]:
    """A name without its ending; "a.tar.gz" has two."""
    stem = os.path.splitext(name)[0]
    return [stem, stem[:-4]] if stem.endswith(".tar") else [stem]


def _begins_alike(name: str, letters: str) -> bool:
    """Whether a name may be these letters with others between them: most can't, at a glance."""
    return bool(letters) and (name[:1] == letters[0] or not name[:1].isalnum())


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", text)


def _on_path(path: str, parts: Sequence[str]) -> bool:
    """Whether folders one below the other, the last perhaps the file, hold these words."""
    pieces = [f" {' '.join(split_words(piece))}" for piece in path.split(os.sep)[1:]]
    ends = range(len(pieces) - len(parts) + 1)
    return any(
        all(f" {part}" in pieces[start + n] for n, part in enumerate(parts)) for start in ends
    )


def _spelling(row: Row, question: Question) -> str:
    """The question as this name spells it, "" where it is spelled so."""
    mended: dict[str, str] = {}
    for text, word in question.words.items():
        known = next((near for near, _ in word.near if f" {near} " in f" {row[3]} {row[4]} "), None)
        if known is not None and word.near:
            mended[text] = known
    return " ".join(mended.get(text, text) for text in question.order) if mended else ""
