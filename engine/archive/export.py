"""An archive as Parquet, for whatever reads that: resources/docs/archive.md has the columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from engine.archive import layout
from engine.archive.archive import Archive
from engine.archive.entries import ArchivedFile
from engine.archive.reading import Reader
from engine.contract.errors import InklingError
from engine.contract.put import put_in_place

_FILES_AT_ONCE = 200
#: Of the archive's own keeping.
_OWN = ["generation", "written", "change", "rights"]


def export(uri: str, to: Path) -> tuple[int, int]:
    """Write `files.parquet` and `units.parquet` into a folder; how many rows each has.

    Each is there whole or not at all. A file's units are of one put, also while others write.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InklingError(
            "{path} is there already, and is no empty folder.",
            hint="Choose another folder with --to.",
            told={"path": str(to)},
        )
    archive = Archive.open(uri, read_only=True)
    try:
        to.mkdir(parents=True, exist_ok=True)
        return _write(archive, to)
    except OSError as error:
        raise InklingError(
            "{path} can't be written: {error}.",
            hint="Check the space and the permissions there, empty it, and start again.",
            told={"path": str(to), "error": error.strerror or str(error)},
        ) from error


def _write(archive: Reader, to: Path) -> tuple[int, int]:
    dim = archive.about.dim
    names = {"files": _file_columns(dim), "units": _unit_columns(dim)}
    fresh = {name: to / f"{name}.parquet.part" for name in names}
    rows = dict.fromkeys(names, 0)
    with (
        parquet.ParquetWriter(fresh["files"], names["files"], compression="zstd") as files,
        parquet.ParquetWriter(fresh["units"], names["units"], compression="zstd") as units,
    ):
        for some in _some(archive.files()):
            found = list(archive.units(file.file_id for file in some))
            counts = {file.file_id: 0 for file in some}
            for stored in found:
                counts[stored.unit.file_id] += 1
            table = _files(some, counts, dim)
            files.write_table(table)
            rows["files"] += table.num_rows
            table = layout.unit_rows(found, 0, dim).select(names["units"].names)
            units.write_table(table.cast(names["units"]))
            rows["units"] += table.num_rows
    for name, path in fresh.items():
        put_in_place(path, to / f"{name}.parquet")
    return rows["files"], rows["units"]


def _some(files: Iterator[ArchivedFile]) -> Iterator[list[ArchivedFile]]:
    while some := list(islice(files, _FILES_AT_ONCE)):
        yield some


def _files(some: list[ArchivedFile], counts: dict[int, int], dim: int) -> pa.Table:
    rows = layout.file_rows([(file, counts[file.file_id]) for file in some], 0, dim)
    readers = pa.array([sorted(file.rights) for file in some], pa.list_(pa.string()))
    return rows.drop_columns(_OWN).append_column("readers", readers)


def _file_columns(dim: int) -> pa.Schema:
    kept = [field for field in layout.files_schema(dim) if field.name not in _OWN]
    return pa.schema([*kept, pa.field("readers", pa.list_(pa.string()))])


def _unit_columns(dim: int) -> pa.Schema:
    """Vectors in single precision, which every reader of Parquet knows."""
    columns = layout.units_schema(dim)
    at = columns.get_field_index("vector")
    vector = pa.field("vector", pa.list_(pa.float32(), dim))
    return columns.set(at, vector).remove(columns.get_field_index("generation"))
