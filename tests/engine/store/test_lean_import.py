"""LanceDB is imported without what an embedded store never uses, and still does all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_OPEN = """
import sys
from pathlib import Path
from engine.store import Store
store = Store.open(Path(sys.argv[1]), "minilm@1", 8)
assert store.file_ids() == set(), store.file_ids()
store.close()
assert "lancedb" in sys.modules
assert "overrides" not in sys.modules
client = "lance_namespace_urllib3_client."
built = [name for name in sys.modules if name.startswith(client + "api.")]
assert not built, built
built = [name for name in sys.modules if name.startswith(client + "models.")]
assert len(built) < 30, built
"""

_USE = """
import engine.store, lance_namespace
stand_in = lance_namespace.ListTablesResponse
made = stand_in(tables=["units"])
assert made.tables == ["units"], made
assert isinstance(made, stand_in) and not isinstance(3, stand_in)
assert type(made).__module__.endswith(".list_tables_response"), type(made)
assert stand_in.from_dict({"tables": ["a"]}).tables == ["a"]
"""


@pytest.mark.parametrize("code", [_OPEN, _USE], ids=["not built", "built when used"])
def test_the_catalogue_client_is_left_out(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
