"""Makes an archive where nothing is, and opens one that is there; of one that is damaged, the last
state that can be read."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import pyarrow as pa

from engine.archive import layout
from engine.archive.entries import FORMAT, About
from engine.archive.failures import damaged
from engine.archive.place import Place
from engine.archive.tables import Table, Tables
from engine.contract.errors import InklingError, StoreTooNewError
from engine.contract.version import VERSION
from engine.models.registry import ModelSpec
from engine.store.manifests import Manifests
from engine.store.opening import newest_that_answers

log = logging.getLogger(__name__)

NAMES = tuple(layout.INDEXED)
_SAMPLE = 64  # rows of which all columns are read, and as many of the newest


class NoArchiveError(InklingError):
    """There is nothing yet: an archive can be made there."""


def create(tables: Tables, name: str, spec: ModelSpec, versions: Mapping[str, str]) -> None:
    """All tables, `about` last: an archive is there whole, or is not."""
    _check_empty(tables)
    schemas = {
        "units": layout.units_schema(spec.dim),
        "files": layout.files_schema(spec.dim),
        "commits": layout.COMMITS,
        "rights": layout.RIGHTS,
    }
    there = tables.names()
    for table, schema in schemas.items():
        if table in there:  # of a making that was cut short
            if tables.open(table).schema == schema:
                continue
            tables.drop(table)
        tables.make(table, schema)
    about = {
        "archive_id": secrets.token_hex(16),
        "name": name,
        "format": FORMAT,
        "model": spec.id,
        "space": spec.space,
        "dim": spec.dim,
        "token_dim": spec.token_dim,
        "made": time.time(),
        "versions": {"inkling": VERSION, **versions},
    }
    rows = [{"key": key, "value": json.dumps(value)} for key, value in about.items()]
    tables.make("about", layout.ABOUT, pa.Table.from_pylist(rows, schema=layout.ABOUT))


def open_tables(
    place: Place, spec: ModelSpec | None, read_only: bool
) -> tuple[dict[str, Table], About, dict[str, int]]:
    """The tables, whose they are, and of how many commits each was given up."""
    # Connecting to a folder that is not there would make it.
    tables = None if place.folder and not place.folder.is_dir() else Tables(place)
    if tables is None or "about" not in tables.names():
        raise NoArchiveError(
            "There is no archive at {uri}.",
            hint="Check the address, or make one: inkling fill {uri} --from FOLDER.",
            told={"uri": place.uri},
        )
    about = _about(tables)
    _check_model(about, spec, place.uri)
    opened: dict[str, Table] = {}
    given_up: dict[str, int] = {}
    for name in NAMES:
        if place.folder is None:
            opened[name] = _answering(tables, name)  # an object is there whole or not at all
            continue
        folder = place.folder / f"{name}.lance"
        if read_only:
            if fault := Manifests(folder).fault():
                raise damaged(place, fault)
            opened[name] = _answering(tables, name)
            continue
        Manifests(folder).put_back()
        opened[name], lost = newest_that_answers(folder, partial(_answering, tables, name))
        if lost:
            given_up[name] = lost
    return opened, about, given_up


def _answering(tables: Tables, name: str) -> Table:
    """A table of which a narrow column is read whole, and all columns of some rows and the
    newest."""
    folder = tables.place.folder
    if folder is not None and (fault := Manifests(folder / f"{name}.lance").fault()):
        raise damaged(tables.place, fault)
    table = tables.open(name)

    def look(t: Any) -> None:
        first = t.schema.names[1] if name == "units" else t.schema.names[0]
        found = t.search().select([first]).to_arrow().num_rows
        newest = range(max(found - _SAMPLE, 0), found)
        sample = sorted({*range(0, found, max(found // _SAMPLE, 1)), *newest})
        if found != t.count_rows() or (
            sample and t.take_offsets(sample).to_arrow().num_rows != len(sample)
        ):
            raise RuntimeError("rows are missing")

    if folder is not None:
        table.read(look)
    return table


def _check_empty(tables: Tables) -> None:
    folder = tables.place.folder
    told = {"uri": tables.place.uri}
    names = tables.names() if folder is None or folder.is_dir() else set()
    if "about" in names:
        raise InklingError(
            "There is an archive at {uri} already.",
            hint="Fill that one, or choose another place.",
            told=told,
        )
    if folder is None or not folder.is_dir():
        return
    ours = {f"{name}.lance" for name in NAMES}
    if any(path.name not in ours for path in folder.iterdir()):
        raise InklingError(
            "{uri} is not empty, and holds no archive.",
            hint="Choose an empty folder for the archive.",
            told=told,
        )


def _about(tables: Tables) -> About:
    rows = tables.open("about").rows(["key", "value"]).to_pylist()
    try:
        told: dict[str, Any] = {row["key"]: json.loads(row["value"]) for row in rows}
        if told["format"] > FORMAT:
            raise StoreTooNewError(
                "The archive {uri} was made by a newer Inkling.",
                hint="Update Inkling here.",
                told={"uri": tables.place.uri},
            )
        return About(**{name: told[name] for name in About.__dataclass_fields__})
    except (ValueError, LookupError, TypeError) as error:
        raise damaged(tables.place, f"what it is can't be read: {error}") from error


def _check_model(about: About, spec: ModelSpec | None, uri: str) -> None:
    own = (about.space, about.dim, about.token_dim)
    if spec is None or (spec.space, spec.dim, spec.token_dim) == own:
        return
    raise InklingError(
        "The archive {uri} holds vectors of another model: {space}, not {other}.",
        hint="Use the model {model} for it, or make another archive.",
        told={"uri": uri, "space": about.space, "other": spec.space, "model": about.model},
    )
