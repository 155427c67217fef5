"""Folders and files taken out of the index without a trace, and the proof of it.

Forgetting a folder takes its rows away; their words stay in old versions of the tables, beside rows
that are kept, in indexes and in freed pages until maintenance comes past. Here all of that is
written anew at once, with no indexer running. Then every file of ours is searched for words that
only the purged files had; tables may pack theirs, so that no file of these may be older.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine import thumb_path
from engine.contract.agent_log import AgentLog
from engine.contract.errors import StoreDamagedError
from engine.contract.judgements import Judgements
from engine.contract.path_text import own_pattern
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.store import Store, drop_space, list_spaces, space_dim
from indexer.ledger.ledger import Ledger
from indexer.ledger.roots_file import inside
from indexer.reading.kept_pages import KeptPages

log = logging.getLogger(__name__)

#: Words that are looked for afterwards, and of how many candidates they are chosen.
PROVEN_BY, _CANDIDATES = 40, 400
#: Long enough not to stand by chance among numbers.
_WORD = re.compile(r"[^\W\d_]{6,40}")
_CHUNK = 8 << 20
#: By which the times of files may lag behind the clock.
_CLOCK_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Purged:
    """What became of it."""

    files: int  # that the index had of it
    words: int  # that only they had, and that were looked for
    searched: int  # files of ours, in which they were
    left: list[str]  # those that may still hold something of it, from the base directory on
    rule: str  # by which it is left out from now on; its name stays in the settings, therefore


def purge(base: BaseDir, paths: Sequence[str]) -> Purged:
    """Take these folders and files out; nobody else may use the base directory. InklingError.

    What lies in a watched folder, and is still there, is left out by a rule from now on.
    """
    started = time.time() - _CLOCK_STEP
    # Links are not followed: whoever names one means what it leads to.
    paths = list(dict.fromkeys(p for path in paths for p in (path, os.path.realpath(path))))
    ledger = Ledger(base.ledger)
    with closing(ledger):
        gone = [r for r in ledger.files() if any(_is_of(r.path, path) for path in paths)]
        words = _only_there(base, ledger, {record.id for record in gone})
        rules = _leave_out(base, ledger, paths)
        for root in ledger.roots():
            if any(_is_of(root.path, path) for path in paths):
                ledger.remove_root(root.path)
        ledger.mark_removed(record.id for record in gone)
        for path in paths:
            ledger.forget_left_out(path)
        kept = {record.id for record in ledger.files()}
        for space in list_spaces(base.store):
            _purge_space(base.store, space, kept)
        _remove_files(base, [record.id for record in gone])
        AgentLog(base).forget(lambda file: any(_is_of(file, path) for path in paths))
        Judgements(base).forget(lambda file: any(_is_of(file, path) for path in paths))
        _clean_logs(base.logs, [*map(os.fsencode, paths), *map(str.encode, words)])
        ledger.database.vacuum()
    named = "\n".join(rules).lower()
    words = [word for word in words if word not in named]
    searched, left = _search(base, words)
    left = sorted({*left, *_older(base, started)})
    return Purged(len(gone), len(words), searched, left, "; ".join(rules))


def _is_of(file: str, path: str) -> bool:
    return file == path or inside(file, path)


def _leave_out(base: BaseDir, ledger: Ledger, paths: Sequence[str]) -> list[str]:
    """Rules, so that what lies in a watched folder is not read again."""
    roots = [root.path for root in ledger.roots()]
    rules = [
        own_pattern(path, folder=os.path.isdir(path))
        for path in paths
        if os.path.lexists(path) and any(inside(path, root) for root in roots if root not in paths)
    ]
    settings = Settings.load(base)
    if new := [rule for rule in rules if rule not in settings.excluded]:
        settings.set("excluded", (*settings.excluded, *new))
        settings.save()
    return rules


# What only they had


def _only_there(base: BaseDir, ledger: Ledger, gone: set[int]) -> list[str]:
    """Words of the files that stand in no other file, nor in its name, as anything of ours has
    them: in lower case."""
    found = set[str]()
    for record in ledger.files():
        if record.id in gone:
            found.update(w for w in _WORD.findall(record.path.lower()) if w.isascii())

    def note(file: int, text: str) -> None:
        if file in gone:
            found.update(word for word in _WORD.findall(text.lower()) if word.isascii())

    _each_text(base, note)
    # The longest are the least likely to be part of another word.
    candidates = set(sorted(found, key=lambda word: (-len(word), word))[:_CANDIDATES])

    def strike(file: int, text: str) -> None:
        if file not in gone:
            low = text.lower()
            candidates.difference_update([word for word in candidates if word in low])

    _each_text(base, strike)
    for record in ledger.files():
        strike(record.id, record.path)
    strike(-1, str(base.root))
    return sorted(candidates, key=lambda word: (-len(word), word))[:PROVEN_BY]


def _each_text(base: BaseDir, visit: Callable[[int, str], None]) -> None:
    """All that rows say, with the file they are of."""
    for space in list_spaces(base.store):
        try:
            with closing(_opened(base.store, space)) as store:
                store.each_text(visit)
        except StoreDamagedError as error:
            log.warning("The space %s tells no words: %s", space, error)


# What goes


def _opened(directory: Path, space: str) -> Store:
    # Without arrays: they hold words, and are made anew when the space is in use again.
    return Store.open(directory, space, space_dim(directory, space), arrays=False)


def _purge_space(directory: Path, space: str, kept: set[int]) -> None:
    try:
        with closing(_opened(directory, space)) as store:
            store.delete_files(sorted(store.file_ids() - kept))
            store.purge()
    except StoreDamagedError as error:
        log.warning("The space %s is removed, and filled again: %s", space, error)
        drop_space(directory, space)


def _remove_files(base: BaseDir, file_ids: Sequence[int]) -> None:
    for file_id in file_ids:
        for thumb in thumb_path(base, file_id, None).parent.glob(f"{file_id}-*.webp"):
            thumb.unlink(missing_ok=True)
    KeptPages(base).drop(file_ids)
    # What was set aside as damaged is as old as it is.
    for aside in base.store.glob("*.damaged-*"):
        shutil.rmtree(aside, ignore_errors=True)
    for aside in base.root.glob(f"{base.ledger.name}.damaged-*"):
        aside.unlink(missing_ok=True)
    shutil.rmtree(base.scratch, ignore_errors=True)
    base.create()


def _clean_logs(logs: Path, said: Sequence[bytes]) -> None:
    """Take the lines out that name what was purged; in place: another process may write them."""
    names = [part.lower() for part in said]
    for path in logs.iterdir():
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not any(name in line.lower() for name in names)]
        if len(kept) < len(lines):
            with path.open("r+b") as file:
                file.writelines(kept)
                file.truncate()


# The proof


def _search(base: BaseDir, words: Sequence[str]) -> tuple[int, list[str]]:
    """How many files lie below the base directory, and which of them hold a word. Models are not
    searched: nothing of the index is in them, and their vocabularies know most words."""
    wanted = [word.encode() for word in words]
    left, count = list[str](), 0
    for parent, folders, names in os.walk(base.root):
        if Path(parent) == base.root:
            folders[:] = [name for name in folders if name != base.models.name]
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                count += 1
                if any(word in name.lower() for word in words) or _holds(path, wanted):
                    left.append(str(path.relative_to(base.root)))
    return count, sorted(left)


def _older(base: BaseDir, started: float) -> Iterator[str]:
    """What tables hold from before."""
    for part in ("data", "_indices", "_deletions"):
        for path in base.store.glob(f"*.lance/{part}/**/*"):
            if path.is_file() and path.stat().st_mtime < started:
                yield str(path.relative_to(base.root))


def _holds(path: Path, words: Iterable[bytes]) -> bool:
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole = rest + chunk.lower()
            if any(word in whole for word in words):
                return True
            rest = whole[-100:]
    return False
