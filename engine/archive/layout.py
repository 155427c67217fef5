"""The tables of an archive and their columns.

- `units`: a row a unit, of one `generation`: the put that wrote it. Rows are only ever added and
  deleted. One is valid while its file's row names its generation.
- `files`: a row a file, those that are gone included. `change` names what changed it last,
  `written` the put that wrote it last.
- `commits`: a row a change, its `token`, only ever added to: a commit's number is its place.
- `rights`: a row a class of readers.
- `about`: made last, so that an archive without it is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from engine.archive.entries import ArchivedFile, SeenAs
from engine.contract.attributes import ATTRIBUTES
from engine.contract.path_text import clean, text_to_path
from engine.contract.types import FileFacts, Unit
from engine.store.rows import StoredUnit, file_fields, unit_fields, vector_array, vector_matrix
from engine.store.schema import schema
from engine.store.token_record import TokenRecord, pack_record, unpack_record

GONE = "gone"  # state of a file that is not there any more
REWOUND = "rewound"  # kind of a commit: some before it were lost
#: Columns of tables that are looked up by.
INDEXED = {"units": ("file_id",), "files": ("file_id", "change"), "commits": (), "rights": ()}

#: What the store has beside these can be worked out: terms, directions of whole files, places of
#: tokens in segments.
_DERIVED = {"fts", "document", "segment", "offset", "length", "folder"}
_FACTS = ["file_id", "path", "file_kind", "picture", "ext", "mtime", "size", *ATTRIBUTES]

COMMITS = pa.schema(
    [
        pa.field("token", pa.int64(), nullable=False),
        pa.field("kind", pa.string()),
        pa.field("files", pa.int64()),
        pa.field("time", pa.float64()),
        pa.field("writer", pa.string()),
    ]
)
RIGHTS = pa.schema(
    [pa.field("id", pa.int64(), nullable=False), pa.field("readers", pa.list_(pa.string()))]
)
ABOUT = pa.schema([pa.field("key", pa.string()), pa.field("value", pa.string())])


def units_schema(dim: int) -> pa.Schema:
    """The store's columns, with the tokens themselves."""
    kept = [field for field in schema(dim) if field.name not in _DERIVED]
    return pa.schema(
        [*kept, pa.field("tokens", pa.large_binary()), pa.field("generation", pa.int64())]
    )


def files_schema(dim: int) -> pa.Schema:
    """A file's facts as the store has them, and what an archive knows beside them."""
    own = {
        "content": pa.string(),
        "rights": pa.int64(),
        "state": pa.string(),
        "reason": pa.string(),
        "note": pa.string(),
        "version": pa.string(),
        "seen_size": pa.int64(),
        "seen_mtime_ns": pa.int64(),
        "seen_ctime_ns": pa.int64(),
        "units": pa.int32(),
        "thumb": pa.large_binary(),
        "text_hash": pa.string(),
        "generation": pa.int64(),
        "written": pa.int64(),
        "change": pa.int64(),
    }
    facts = [schema(dim).field(name) for name in _FACTS]
    return pa.schema([*facts, *(pa.field(name, kind) for name, kind in own.items())])


def unit_rows(units: Sequence[StoredUnit], generation: int, dim: int) -> pa.Table:
    """Units as rows."""
    rows = [
        {
            **unit_fields(stored),
            "tokens": None if stored.tokens is None else pack_record(stored.tokens),
            "generation": generation,
        }
        for stored in units
    ]
    vectors = vector_array([stored.vector for stored in units], dim)
    columns = units_schema(dim)
    arrays = [
        vectors
        if field.name == "vector"
        else pa.array([row[field.name] for row in rows], field.type)
        for field in columns
    ]
    return pa.Table.from_arrays(arrays, schema=columns)


def units_of(rows: pa.Table, dim: int) -> list[StoredUnit]:
    """The units that rows are of."""
    matrix = vector_matrix(rows["vector"], dim)
    absent = rows["vector"].is_null().to_pylist()
    plain = rows.drop_columns(["vector"]).to_pylist()
    return [
        StoredUnit(_unit(row), facts_of(row), None if none else vector, _tokens(row["tokens"]))
        for row, vector, none in zip(plain, matrix, absent, strict=True)
    ]


#: Of the files table.
FILE_COLUMNS = tuple(files_schema(1).names)


def _unit(row: Mapping[str, Any]) -> Unit:
    return Unit(
        row["file_id"],
        int(row["id"].rpartition(":")[2]),
        row["kind"],
        row["text"],
        row["context"],
        row["page"],
        None if row["line_from"] is None else (row["line_from"], row["line_to"]),
        row["symbol"],
        row["language"],
    )


def _tokens(data: bytes | None) -> TokenRecord | None:
    if data is None:
        return None
    record = unpack_record(data)
    assert isinstance(record, TokenRecord)  # codes are never written here
    return record


def facts_of(row: Mapping[str, Any]) -> FileFacts:
    """A file's facts from a row of either table."""
    attributes = {name: row[name] for name in ATTRIBUTES if row[name] is not None}
    return FileFacts(
        row["file_id"], text_to_path(row["path"]), row["file_kind"], row["picture"], row["ext"],
        row["mtime"], row["size"], attributes,
    )  # fmt: skip


def file_rows(files: Iterable[tuple[ArchivedFile, int]], token: int, dim: int) -> pa.Table:
    """Files and how many units each has, as rows that a put writes."""
    rows = []
    for file, units in files:
        facts = file_fields(file.facts)
        rows.append(
            {
                **{name: facts[name] for name in _FACTS},
                "content": file.content,
                "rights": file.rights_class,
                "state": file.state,
                "reason": file.reason,
                "note": clean(file.note),
                "version": file.version,
                "seen_size": file.seen_as.size,
                "seen_mtime_ns": file.seen_as.mtime_ns,
                "seen_ctime_ns": file.seen_as.ctime_ns,
                "units": units,
                "thumb": file.thumb,
                "text_hash": file.text_hash,
                "generation": token if units else 0,
                "written": token,
                "change": token,
            }
        )
    return pa.Table.from_pylist(rows, schema=files_schema(dim))


def patch(ids: Sequence[int], change: int, **values: Any) -> pa.Table:
    """Rows that change some columns of files that are there; a value for all, or one for each."""
    columns = files_schema(1)
    each = {"file_id": list(ids), "change": change, **values}
    lists = {name: v if isinstance(v, list) else [v] * len(ids) for name, v in each.items()}
    schema = pa.schema([columns.field(name) for name in lists])
    return pa.table(
        [pa.array(v, schema.field(name).type) for name, v in lists.items()], schema=schema
    )


def file_of(row: Mapping[str, Any], readers: Mapping[int, tuple[str, ...]]) -> ArchivedFile:
    """The file that a row is of."""
    return ArchivedFile(
        facts_of(row),
        row["content"],
        frozenset(readers.get(row["rights"], ())),  # of a class that was lost: nobody
        row["state"],
        row["reason"],
        row["note"],
        row["version"],
        SeenAs(row["seen_size"], row["seen_mtime_ns"], row["seen_ctime_ns"]),
        row["units"],
        row.get("thumb"),
        row["text_hash"],
    )
