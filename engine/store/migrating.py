"""Carries a table of an earlier schema over to the present one, in place."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pyarrow as pa

from engine.contract.conditions import quote
from engine.store.guard import TornError, guarded
from engine.store.lance_table import LanceTable
from engine.store.schema import attribute_columns, schema, steps_from
from engine.store.space_file import SpaceFile, too_new

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 2_000  # whole rows that a rewrite has in memory


def check_columns(table: LanceTable, dim: int) -> None:
    """Whether these can be the columns of a store, of this version or an earlier one.

    StoreTooNewError if there are some that only a later Inkling can have made; StoreDamagedError
    if those that every version has are missing or of another type.
    """
    found, expected = table.read(lambda t: t.schema), schema(dim)
    added = {field.name for migration in steps_from(1) for field in migration.columns}
    added |= {field.name for field in attribute_columns()}
    with guarded("read"):
        for field in expected:
            if field.name not in found.names and field.name not in added:
                raise TornError(f"the column {field.name} is missing")
            if field.name in found.names and found.field(field.name).type != field.type:
                raise TornError(f"the column {field.name} is not {field.type}")
    if set(found.names) - set(expected.names):
        raise too_new(table.folder)


def migrate(table: LanceTable, file: SpaceFile) -> None:
    """Bring the table to the present schema; each step is on disk before the next version is.

    A step that was cut short is begun again. Raises what the table's calls raise; the rows are
    then as they were, or further.
    """
    missing = missing_columns(table)
    start = 1 if file.schema is None or missing else file.schema
    steps = steps_from(start)
    if steps:
        log.info("the search index is carried over from version %d, %d steps", start, len(steps))
    for migration in steps:
        new = [(field, sql) for field, sql in migration.columns.items() if field.name in missing]
        for field, sql in new:
            _add_column(table, field.name, sql)
        if migration.rewrite is not None:
            _rewrite(table, migration.rewrite)
    there = set(table.read(lambda t: t.schema.names))
    fresh = [(f.name, sql) for f, sql in attribute_columns().items() if f.name not in there]
    for name, sql in fresh:
        _add_column(table, name, sql)
    if steps or fresh or file.schema is None:
        table.sync()
        with guarded("write"):
            file.carried_over()


def missing_columns(table: LanceTable) -> set[str]:
    """Columns that migrations add and this table has not."""
    found = set(table.read(lambda t: t.schema.names))
    return {field.name for step in steps_from(1) for field in step.columns} - found


def _rewrite(table: LanceTable, change: Callable[[pa.Table], pa.Table]) -> None:
    ids = table.read(lambda t: t.search().select(["id"]).to_arrow()["id"].to_pylist())
    for start in range(0, len(ids), ROWS_AT_ONCE):
        changed = change(_whole_rows(table, ids[start : start + ROWS_AT_ONCE]))
        if changed.num_rows:
            _put(table, changed)


def _add_column(table: LanceTable, name: str, sql: str) -> None:
    table.write(lambda t: t.add_columns({name: sql}))


def _whole_rows(table: LanceTable, ids: list[str]) -> pa.Table:
    listed = ", ".join(map(quote, ids))
    return table.read(lambda t: t.search().where(f"id IN ({listed})").to_arrow())


def _put(table: LanceTable, rows: pa.Table) -> None:
    table.write(lambda t: t.merge_insert("id").when_matched_update_all().execute(rows))
