"""Makes an archive where nothing is, and opens one that is there."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from engine.archive import layout
from engine.archive.entries import FORMAT, About
from engine.archive.tables import Table, Tables
from engine.contract.errors import InklingError, StoreTooNewError
from engine.contract.version import VERSION
from engine.models.registry import ModelSpec

NAMES = ("units", "files", "commits", "rights")


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
    for table in NAMES:
        if table in there:  # of a making that was cut short
            tables.drop(table)
        tables.make(table, schemas[table])
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
    rows = pa.Table.from_pylist(
        [{"key": key, "value": json.dumps(value)} for key, value in about.items()],
        schema=layout.ABOUT,
    )
    tables.make("about", layout.ABOUT, rows)


def open_tables(
    tables: Tables, spec: ModelSpec | None, read_only: bool
) -> tuple[dict[str, Table], About, Sequence[str]]:
    """The tables, whose they are, and which commits had to be given up."""
    folder = tables.place.folder
    if (folder is not None and not folder.is_dir()) or "about" not in tables.names():
        raise NoArchiveError(
            "There is no archive at {uri}.",
            hint="Check the address, or make one: inkling fill {uri} --from FOLDER.",
            told={"uri": tables.place.uri},
        )
    about = _about(tables)
    _check_model(about, spec, tables.place.uri)
    return {name: tables.open(name) for name in NAMES}, about, ()


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
    told: dict[str, Any] = {row["key"]: json.loads(row["value"]) for row in rows}
    if told["format"] > FORMAT:
        raise StoreTooNewError(
            "The archive {uri} was made by a newer Inkling.",
            hint="Update Inkling here.",
            told={"uri": tables.place.uri},
        )
    return About(**{name: told[name] for name in About.__dataclass_fields__})


def _check_model(about: About, spec: ModelSpec | None, uri: str) -> None:
    if spec is None or (spec.space, spec.dim, spec.token_dim) == (
        about.space,
        about.dim,
        about.token_dim,
    ):
        return
    raise InklingError(
        "The archive {uri} holds vectors of another model: {space}, not {other}.",
        hint="Use the model {model} for it, or make another archive.",
        told={"uri": uri, "space": about.space, "other": spec.space, "model": about.model},
    )
