"""An archive as Parquet is what it holds, for whoever reads that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from desktop.terminal.cli import main
from engine.archive import Archive
from engine.archive.export import export
from engine.contract.errors import InklingError
from engine.store.token_record import unpack_record
from tests.archives import SPEC, entry


def test_what_is_exported_is_what_is_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    archive = Archive.create(tmp_path / "archive", "x", SPEC)
    given = [entry(archive, "a", 3, readers=["user:a", "group:b"]), entry(archive, "b", 0)]
    archive.put([*given, entry(archive, "gone")])
    archive.remove([entry(archive, "gone")[0].file_id])
    to = tmp_path / "out"
    assert main(["archive", "export", archive.place.uri, "--to", str(to)]) == 0
    assert "2 files and 3 passages" in capfd.readouterr().out
    assert sorted(path.name for path in to.iterdir()) == ["files.parquet", "units.parquet"]

    files = {row["path"]: row for row in parquet.read_table(to / "files.parquet").to_pylist()}
    assert files.keys() == {"/source/a", "/source/b"}
    assert files["/source/a"]["readers"] == ["group:b", "user:a"]
    assert (files["/source/a"]["units"], files["/source/b"]["units"]) == (3, 0)
    units = parquet.read_table(to / "units.parquet").to_pylist()
    assert [row["text"] for row in units] == [s.unit.text for s in given[0][1]]
    for row, stored in zip(units, given[0][1], strict=True):
        np.testing.assert_allclose(row["vector"], stored.vector, atol=1e-3)
        np.testing.assert_array_equal(unpack_record(row["tokens"]).tokens, stored.tokens.tokens)

    with pytest.raises(InklingError, match="no empty folder"):
        export(archive.place.uri, to)
    assert main(["archive", "export", str(tmp_path / "none"), "--to", str(tmp_path / "o")]) == 1
    assert "no archive" in capfd.readouterr().err
