"""Pairs to train the MiniLM heads on, taken from the packages installed beside Inkling.

Code: the first sentence of a docstring, and the function without it. Prose: the first sentence of a
docstring or paragraph and what follows, or a heading and its section.
"""

from __future__ import annotations

import ast
import itertools
import os
import random
import re
import struct
import warnings
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

Pair = tuple[str, str]  # what a person might ask, what answers it

_PER_PACKAGE = 600  # pairs, so that no one package's habits win
_FILES_PER_PACKAGE = 12  # looked at: parsing all of torch takes minutes and adds nothing
_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_HEADING = re.compile(r"^(?:#{1,4} +(.+)|(\S.{2,78})\n[=~^-]{3,}) *$", re.MULTILINE)
_MARKUP = re.compile(
    r":\w+:`([^`]*)`|``?|\*\*|!?\[([^\]\n]{0,200})\]\([^)\n]{0,300}\)|<[^>\n]{1,200}>"
)
_WORDS = range(3, 41)  # of a question
_CHARACTERS = range(80, 20_000)  # of an answer


def code_pairs(root: Path, count: int, seed: int) -> list[Pair]:
    """Docstring → function body."""
    return _choose(_functions(root), count, seed)


def prose_pairs(root: Path, count: int, seed: int) -> list[Pair]:
    """First sentence → rest, heading → section."""
    return _choose(_passages(root), count, seed)


def _choose(candidates: Iterator[tuple[str, Pair]], count: int, seed: int) -> list[Pair]:
    """A deterministic sample: questions once, at most _PER_PACKAGE of a package."""
    taken: dict[str, tuple[str, str]] = {}
    for package, (question, answer) in candidates:
        question = " ".join(question.split()).rstrip(".")
        if len(question.split()) in _WORDS and len(answer) in _CHARACTERS:
            taken.setdefault(question.lower(), (package, answer))
    questions = sorted(taken)
    random.Random(seed).shuffle(questions)
    per_package: Counter[str] = Counter()
    pairs = []
    for question in questions:
        package, answer = taken[question]
        per_package[package] += 1
        if per_package[package] <= _PER_PACKAGE:
            pairs.append((question, answer))
    return pairs[:count]


def _functions(root: Path) -> Iterator[tuple[str, Pair]]:
    for package, source, node in _definitions(root):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or len(node.body) < 2:
            continue
        docstring = ast.get_docstring(node)
        if not docstring:
            continue
        lines = source.splitlines()
        end = node.body[0].end_lineno or node.lineno
        without = lines[node.lineno - 1 : node.body[0].lineno - 1] + lines[end : node.end_lineno]
        yield package, (_first_sentence(docstring), "\n".join(without))


def _passages(root: Path) -> Iterator[tuple[str, Pair]]:
    for package, _, node in _definitions(root):
        if docstring := ast.get_docstring(node):
            text = _plain(docstring)
            first = _first_sentence(text)
            yield package, (first, text[len(first) :].strip())
    for file in _files(root, ("*.md", "*.rst", "*.txt", "METADATA")):
        text = file.read_text(encoding="utf-8", errors="replace")[:50_000]
        yield from ((_package(root, file), pair) for pair in _sections(text))


def _sections(text: str) -> Iterator[Pair]:
    headings = list(_HEADING.finditer(text))
    for heading, following in itertools.zip_longest(headings, headings[1:]):
        section = _plain(text[heading.end() : following.start() if following else None]).strip()
        yield _plain(heading[1] or heading[2]), section
        first = _first_sentence(section)
        yield first, section[len(first) :].strip()


def _definitions(
    root: Path,
) -> Iterator[tuple[str, str, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    for file in _files(root, ("*.py",)):
        try:
            source = file.read_text(encoding="utf-8")
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield _package(root, file), source, node


def _files(root: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    """Some files of every package, the same at every run."""
    by_package: dict[str, list[Path]] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in ("tests", "test", "__pycache__")]
        for name in names:
            if any(fnmatch(name, pattern) for pattern in patterns):
                file = Path(folder, name)
                by_package.setdefault(_package(root, file), []).append(file)
    for _, files in sorted(by_package.items()):
        files.sort()
        random.Random(0).shuffle(files)
        yield from files[:_FILES_PER_PACKAGE]


def _package(root: Path, file: Path) -> str:
    return file.relative_to(root).parts[0].split("-")[0]


def _first_sentence(text: str) -> str:
    paragraph = text.split("\n\n")[0]
    match = _SENTENCE.match(paragraph)
    return match[1] if match else paragraph


def _plain(text: str) -> str:
    """Without the commonest markup."""
    return _MARKUP.sub(lambda m: m[1] or m[2] or "", text)


def translated_pairs(root: Path, count: int, seed: int) -> list[Pair]:
    """Messages of programs in two languages, English the answer and the question by turns.

    From gettext catalogues ROOT/LANGUAGE/LC_MESSAGES/*.mo, a message in one of its languages.
    """
    by_message: dict[str, list[str]] = {}
    for file in sorted(root.glob("*/LC_MESSAGES/*.mo")):
        if not file.name.startswith("iso_"):  # names of languages and countries, no sentences
            for translated, message in _messages(file):
                by_message.setdefault(message, []).append(translated)
    chance = random.Random(seed)
    chosen = chance.sample(sorted(by_message), min(count, len(by_message)))
    pairs = [(chance.choice(by_message[message]), message) for message in chosen]
    return [(a, b) if n % 2 else (b, a) for n, (a, b) in enumerate(pairs)]


def _messages(file: Path) -> list[Pair]:
    """(translation, English) of a catalogue's sentences, in order."""
    data = file.read_bytes()
    try:
        # Read by hand: the library refuses catalogues for the form of their plurals.
        magic, _, count, *tables = struct.unpack_from("<5I", data)
        if magic != 0x950412DE:
            return []
        english, translations = (
            [data[at : at + size].decode() for size, at in struct.iter_unpack("<2I", table)]
            for table in (data[start : start + 8 * count] for start in tables)
        )
    except (struct.error, UnicodeDecodeError):
        return []
    plain = {_message(k): _message(v) for k, v in zip(english, translations, strict=True)}
    return sorted(
        (translated, message)
        for message, translated in plain.items()
        if len(message.split()) in _WORDS and len(message) >= 25 and translated != message
    )


def _message(text: str) -> str:
    """Without context, plurals, marks of menu keys and markup, in one line."""
    first = (text.partition("\x04")[2] or text).partition("\0")[0]
    return " ".join(_plain(first).replace("_", "").split())
