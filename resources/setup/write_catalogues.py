"""Writes the catalogues in resources/locale: every sentence the window shows, what translators made
of it, and the compiled form.

Sentences are found in calls of `tr` and `_n`, in the rows of tables, and where engine and indexer
say what the window repeats. New ones come into each catalogue without a translation, and those that
are gone leave it; a test holds that the ones we ship are complete.
"""

from __future__ import annotations

import ast
import datetime as dt
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

os.environ["LANGUAGE"] = "en"  # the tables are to be read as they are written

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from desktop.window.actions import ACTIONS, MENUS
from desktop.window.completions import meaning
from desktop.wording.language import DOMAIN, FOLDER
from engine.contract.archives import FAULTS, OTHER_MODEL, REMEDIES
from engine.contract.errors import NOT_INDEXED, NOT_YET, READ_IN_PART, REASONS
from engine.contract.filters import FILTERS
from engine.contract.kinds import KINDS
from engine.contract.left_out import ALLOW, LEFT_OUT
from engine.contract.notices import LANGUAGES, NOTICES
from engine.contract.readings import GIVEN_UP
from engine.contract.settings import SECTIONS, SETTINGS
from engine.contract.types import NOT_LOOKED_AT, NOT_READ_YET
from engine.models.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 98
_NO_DAY = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
#: What may be said once and many times.
Message = str | tuple[str, str]
#: Modules whose sentences reach the window as they are.
_SPEAKING = (
    "indexer/indexing/index.py",
    "indexer/indexing/throttle.py",
    "indexer/server/app.py",
    "indexer/server/explain.py",
    "indexer/server/search.py",
    "indexer/sources/observers.py",
)
#: The command line speaks English.
_TERMINAL = "desktop/terminal"


def messages() -> dict[Message, None]:
    """Every sentence, in the order of the code."""
    found = (*_called(), *_of_tables(), *_of_errors(), *_spoken())
    return dict.fromkeys(message for message in found if message)


def _called() -> Iterator[Message]:
    words = {"tr": None, "_n": (1, 2)}
    methods = [("**.py", "python")]
    rows = extract_from_dir(str(ROOT / "desktop"), methods, keywords=words, comment_tags=())
    for _file, _line, message, _comments, _context in rows:
        yield message if isinstance(message, str) else (message[0], message[1])


def _of_tables() -> Iterator[Message]:
    yield from MENUS
    yield from (spec.title for spec in ACTIONS.values())
    yield from (row.title for row in KINDS.values())
    yield from SECTIONS
    for row in SETTINGS.values():
        yield from (row.title, row.help, row.zero, row.unit, *(label for _, label in row.choices))
    yield from (meaning(word) for word in FILTERS)
    yield from (reason.sentence for reason in REASONS.values())
    yield from (READ_IN_PART.sentence, ALLOW)
    for row in LEFT_OUT.values():
        yield from (row.sentence, row.hint)
    yield from GIVEN_UP.values()
    for notice in NOTICES.values():
        yield from (notice.sentence, notice.button)
    yield from LANGUAGES.values()
    for model in MODELS.values():
        yield from (model.title, model.licence)
        for figure in model.figures:
            yield from (figure.what, figure.source)
    yield from (*FAULTS.values(), *REMEDIES.values(), OTHER_MODEL)
    yield from (NOT_YET, NOT_INDEXED, NOT_READ_YET, NOT_LOOKED_AT)


def _of_errors() -> Iterator[Message]:
    """Message and hint of errors."""
    for path in _modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = _named(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not _name(node.func).endswith("Error"):
                continue
            if _name(node.func) == "ExtractError" or not node.args:
                continue  # its reasons are a table
            given = [named.get(_name(k.value), k.value) for k in node.keywords if k.arg == "hint"]
            hints = [part for hint in given for part in _written(hint)]
            if _is_sentence(node.args[0]):
                yield from map(_text, filter(_is_sentence, [node.args[0], *hints]))


def _named(tree: ast.Module) -> dict[str, ast.expr]:
    """What a module's names of its own stand for."""
    return {
        target.id: line.value
        for line in tree.body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }


def _spoken() -> Iterator[Message]:
    for path in (ROOT / name for name in _SPEAKING):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from map(_text, filter(_is_sentence, _written(tree)))


def _written(node: ast.AST) -> Iterator[ast.AST]:
    """All below a node but docstrings, what goes into the log, and texts with something in them."""
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    logged = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
    if docstring or logged or isinstance(node, ast.JoinedStr):
        return
    yield node
    for below in ast.iter_child_nodes(node):
        yield from _written(below)


def _modules() -> Iterator[Path]:
    for room in ("desktop", "engine", "indexer"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if not path.is_relative_to(ROOT / _TERMINAL):
                yield path


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _is_sentence(node: ast.AST) -> bool:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    text = node.value.strip()
    begins = text[:1].isupper() or text[:1] in ("{", "“")
    return begins and " " in text and text.endswith((".", "?", "!"))


def _text(node: ast.AST) -> str:
    assert isinstance(node, ast.Constant)
    return str(node.value)


def updated(path: Path, language: str) -> Catalog:
    """A language's catalogue with the sentences of today; nothing is guessed."""
    old = Catalog(locale=language)
    if path.is_file():
        old = read_po(BytesIO(path.read_bytes()), locale=language)
    new = Catalog(
        locale=language, project="Inkling", fuzzy=False, header_comment=f"# Inkling: {language}."
    )
    for message in messages():
        key = message if isinstance(message, str) else message[0]
        known = old.get(key)
        kept = known.string if known is not None and known.id == message else ""
        new.add(message, kept, flags=())
    return new


def as_po(catalogue: Catalog) -> bytes:
    """The text of a catalogue: without times and line numbers, which would change with each."""
    out = BytesIO()
    write_po(out, catalogue, width=WIDTH, no_location=True, omit_header=True)
    head = (
        'msgid ""\nmsgstr ""\n"Language: {}\\n"\n"Plural-Forms: {}\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return head.format(catalogue.locale, catalogue.plural_forms).encode() + out.getvalue()


def as_mo(po: bytes, language: str) -> bytes:
    """A catalogue as `gettext` reads it."""
    catalogue = read_po(BytesIO(po), locale=language)
    catalogue.creation_date = catalogue.revision_date = _NO_DAY  # the same again, of the same text
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def catalogues() -> Iterator[Path]:
    """The catalogues there are; a new one is an empty file in its place."""
    yield from sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def main() -> None:
    """Write each again, and say what is missing."""
    for path in catalogues():
        language = path.parents[1].name
        catalogue = updated(path, language)
        path.write_bytes(as_po(catalogue))
        path.with_suffix(".mo").write_bytes(as_mo(path.read_bytes(), language))
        missing = [str(one.id) for one in catalogue if one.id and not _whole(one.string)]
        sys.stdout.write(f"{language}: {len(catalogue)} sentences, {len(missing)} to translate\n")
        sys.stdout.writelines(f"  {sentence}\n" for sentence in missing)


def _whole(string: str | tuple[str, ...] | list[str]) -> bool:
    return bool(string) if isinstance(string, str) else bool(string) and all(string)


if __name__ == "__main__":
    main()
