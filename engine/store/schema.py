"""The columns of the units table, and the steps from one version of them to the next."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from engine.contract.attributes import ATTRIBUTES
from engine.contract.path_text import clean, text_to_path
from engine.store.analyzer import fts_text


@dataclass(frozen=True, slots=True)
class Migration:
    """What one version of the schema has and the one before had not.

    Each can be begun again where it was cut short: columns that are there stay, and `rewrite`,
    which gets whole rows with the new columns and gives those that it changed, gives the same
    however often it is applied.
    """

    #: New columns with the SQL expression over the old ones that fills them.
    columns: dict[pa.Field, str] = field(default_factory=dict)
    rewrite: Callable[[pa.Table], pa.Table] | None = None


def fts(context: str, text: str, path: str) -> str:
    """Terms of context, text and file name."""
    return fts_text(context, text, clean(os.path.basename(path)))


#: What the analyzer of version 3 has other terms for than the one before. Most passages have none,
#: and looking for it costs far less than analysing them.
_OTHER_TERMS = re.compile(
    "[^\x00-\xac\xae-\xb3\xb5-\xbb\xbf-\u024f‘’‚“”„…€•]|[ħĦŧŦŋŊ]|[0-9][0-9 ()./+\xa0-]{6,}[0-9]"
)


def _analysed(rows: pa.Table) -> pa.Table:
    """The rows whose terms are others now, with these."""
    columns = [rows[name].to_pylist() for name in ("context", "text", "path", "fts")]
    known = list(zip(*columns, strict=True))
    terms = [
        fts(context, text, text_to_path(path))
        if any(map(_OTHER_TERMS.search, (context, text, path)))
        else old
        for context, text, path, old in known
    ]
    changed = [new != old for new, (*_, old) in zip(terms, known, strict=True)]
    at = rows.schema.get_field_index("fts")
    return rows.set_column(at, rows.schema.field(at), pa.array(terms, pa.string())).filter(changed)


#: In order, never edited once released. Version 1 is what there was before versions were counted.
#: Version 2 has the same columns; its segments may hold codes, which an earlier Inkling would take
#: for damage. Version 3 has the terms of engine.store.spelling.
MIGRATIONS: tuple[Migration, ...] = (Migration(), Migration(rewrite=_analysed))


def schema_version() -> int:
    """The version of the schema that this Inkling writes."""
    return 1 + len(MIGRATIONS)


def steps_from(version: int) -> tuple[Migration, ...]:
    """What a table of that version lacks, in order."""
    return MIGRATIONS[version - 1 :]


def schema(dim: int) -> pa.Schema:
    """Columns of the units table; `fts` holds analysed terms, `vector` a unit vector or null.

    `document` is the direction of all the file's vectors together, repeated on each of its rows:
    what the whole file is about, there without another look-up.
    """
    columns = pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("file_id", pa.int64(), nullable=False),
            pa.field("path", pa.string()),
            pa.field("folder", pa.string()),
            pa.field("kind", pa.string()),
            pa.field("file_kind", pa.string()),
            pa.field("picture", pa.string()),
            pa.field("ext", pa.string()),
            pa.field("language", pa.string()),
            pa.field("mtime", pa.float64()),
            pa.field("size", pa.int64()),
            pa.field("page", pa.int32()),
            pa.field("line_from", pa.int32()),
            pa.field("line_to", pa.int32()),
            pa.field("symbol", pa.string()),
            pa.field("text", pa.string()),
            pa.field("context", pa.string()),
            pa.field("fts", pa.string()),
            pa.field("segment", pa.int32()),
            pa.field("offset", pa.int64()),
            pa.field("length", pa.int32()),
            pa.field("vector", pa.list_(pa.float16(), dim)),
            pa.field("document", pa.list_(pa.float16(), dim)),
        ]
    )
    added = [field for migration in MIGRATIONS for field in migration.columns]
    return pa.unify_schemas([columns, pa.schema([*added, *attribute_columns()])])


def attribute_columns() -> dict[pa.Field, str]:
    """A column for each row of engine.contract.attributes, and the SQL that fills it in a table
    that has none: no migration for each."""
    columns = {}
    for row in ATTRIBUTES.values():
        kind, name = (pa.string(), "STRING") if row.type == "text" else (pa.float64(), "DOUBLE")
        columns[pa.field(row.name, kind)] = f"CAST(NULL AS {name})"
    return columns
