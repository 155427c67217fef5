"""The indexer's side of `inkling doctor`: what can be said without starting anything.

Only reads, also where an indexer runs over the same base directory. A matter that can't be looked
into is told as one that needs attention, never left out.
"""

from __future__ import annotations

import ctypes.util
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from engine.contract.checks import Check
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.files import ensure_usable
from engine.models.offers import has_card
from engine.models.registry import model_spec
from indexer.ledger.schema import MIGRATIONS

AGAIN = "Install Inkling again."
#: Below these a home folder of usual size can't be watched as a whole.
LEAST_WATCHES, LEAST_INSTANCES = 65_536, 128
_INOTIFY = Path("/proc/sys/fs/inotify")


def examine(base: BaseDir) -> list[Check]:
    """Every matter, in the order of the table."""
    found: list[Check] = []
    for look in LOOKS:
        try:
            found += look(base)
        except InklingError as error:
            found.append(
                Check(_name(look), _name(look).title(), error.message, error.hint or AGAIN)
            )
        except Exception as error:  # noqa: BLE001 -- a doctor that falls over helps nobody
            words = f"It could not be looked into: {type(error).__name__}: {error}"
            found.append(Check(_name(look), _name(look).title(), words, AGAIN))
    return found


def _name(look: Callable[[BaseDir], Iterator[Check]]) -> str:
    return look.__name__.strip("_")


def _index(base: BaseDir) -> Iterator[Check]:
    """The list of files as SQLite finds it, and whether this version can read it."""
    title = "Index"
    if not base.ledger.exists():
        yield Check("index", title, "Nothing is indexed yet.")
        return
    address = f"file:{quote(str(base.ledger))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as ledger:
            version = ledger.execute("PRAGMA user_version").fetchone()[0]
            found = ledger.execute("PRAGMA quick_check(1)").fetchone()[0]
            files = ledger.execute("SELECT count(*) FROM files").fetchone()[0]
    except sqlite3.Error as error:
        version, found, files = 0, str(error), 0
    if version > len(MIGRATIONS):
        yield Check(
            "index", title, "It was written by a newer Inkling.",
            "Update Inkling, or choose another folder with --base-dir.",
        )  # fmt: skip
    elif found != "ok":
        yield Check(
            "index", title, f"The list of files is damaged: {found}",
            "Start Inkling: it sets aside what is damaged and reads your files again.",
        )  # fmt: skip
    else:
        older = version < len(MIGRATIONS)
        form = "of an older form that is carried over at the next start" if older else "whole"
        yield Check("index", title, f"{files} files, {form}.")


def _folders(base: BaseDir) -> Iterator[Check]:
    """Whether the watched folders can be read."""
    if not base.ledger.exists():
        return
    address = f"file:{quote(str(base.ledger))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=10)) as ledger:
        paths = [os.fsdecode(path) for (path,) in ledger.execute("SELECT path FROM roots")]
    closed = [path for path in paths if not os.access(path, os.R_OK | os.X_OK)]
    said = f"{len(paths)} watched."
    if closed:
        shown = ", ".join(path.encode("utf-8", "replace").decode() for path in closed)
        yield Check(
            "folders", "Folders", f"{said} Not there, or closed to you: {shown}",
            "Connect the disk or mend the permissions; `inkling remove PATH` forgets a folder.",
        )  # fmt: skip
    else:
        yield Check("folders", "Folders", said)


def _models(base: BaseDir) -> Iterator[Check]:
    """Whether those that are chosen can be used."""
    settings = Settings.load(base)
    for id_, title, wanted in (
        ("model", "Model", settings.model),
        ("sight", "Model for pictures", settings.sight_model),
    ):
        if wanted:
            spec = model_spec(wanted)
            try:
                ensure_usable(spec, base)
            except InklingError as error:
                yield Check(id_, title, error.message, error.hint)
            else:
                yield Check(id_, title, f"{spec.title}.")


def _card(base: BaseDir) -> Iterator[Check]:
    said = "One that models can run on" if has_card() else "None that models can run on"
    yield Check("card", "Graphics card", f"{said}; what comes with Inkling needs none.")


def _ocr(base: BaseDir) -> Iterator[Check]:
    """Whether text in pictures can be read: the networks are there and their libraries load."""
    import onnxruntime
    import rapidocr

    networks = list((Path(rapidocr.__file__).parent / "models").glob("*.onnx"))
    if networks:
        yield Check("ocr", "Text in pictures", f"Read, with onnxruntime {onnxruntime.__version__}.")
    else:
        yield Check("ocr", "Text in pictures", "The networks that read it are missing.", AGAIN)


def _answers(base: BaseDir) -> Iterator[Check]:
    """Which language model can be asked, and what a policy file says of it. A server on another
    machine is asked for its models only where the person has confirmed it."""
    import asyncio

    from indexer.asking.service import servers_of

    title = "Answers"
    told = asyncio.run(servers_of(Settings.load(base)))
    if told.error:
        yield Check("answers", title, str(told.error["message"]))
        return
    policy = f" {told.forbidden_by} forbids other machines." if told.forbidden_by else ""
    named = next((one for one in told.servers if one.error), None)
    if told.server:
        yield Check("answers", title, f"{told.model} at {told.server} is asked.{policy}")
    elif named is not None and named.error:
        said, hint = str(named.error["message"]), str(named.error["hint"])
        yield Check("answers", title, f"{said}{policy}", hint)
    else:
        said = "No language model is found on this machine; `inkling ask --servers` says how to"
        yield Check("answers", title, f"{said} get one.{policy}")


def _programs(base: BaseDir) -> Iterator[Check]:
    """What is read by programs of the system, where they are; Inkling does without them."""
    from indexer.reading.extract import libreoffice

    office = libreoffice.installed()
    yield Check(
        "libreoffice", "LibreOffice",
        "Installed: older documents of Office are read." if office
        else "Not installed: .doc, .ppt, .wps and their kin are found by name alone.",
    )  # fmt: skip
    archives = ctypes.util.find_library("archive" if sys.platform != "win32" else "archiveint")
    yield Check(
        "libarchive", "libarchive",
        "Installed: 7z, rar, iso and their kin are read." if archives
        else "Not installed: 7z, rar, iso and their kin are found by name alone.",
    )  # fmt: skip


def _watching(base: BaseDir) -> Iterator[Check]:
    """How many folders the system lets a program watch."""
    if not _INOTIFY.is_dir():
        return
    for name, least, wanted in (
        ("max_user_watches", LEAST_WATCHES, 1_048_576),
        ("max_user_instances", LEAST_INSTANCES, 1_024),
    ):
        value = int((_INOTIFY / name).read_text())
        yield Check(
            name, f"inotify {name}", f"{value:,}.",
            "" if value >= least
            else f"Many folders are found changed only by scanning. Run `sudo sysctl "
            f"fs.inotify.{name}={wanted}` and put the setting into /etc/sysctl.d.",
        )  # fmt: skip


#: Adding a matter is adding a row.
LOOKS: tuple[Callable[[BaseDir], Iterator[Check]], ...] = (
    _index,
    _folders,
    _models,
    _ocr,
    _card,
    _answers,
    _programs,
    _watching,
)
