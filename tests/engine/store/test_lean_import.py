"""LanceDB is imported without what an embedded store never uses, and still does all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_OPEN = """
import sys
from pathlib import Path
from engine.store import Store
store = Store.open(Path(sys.argv[1]), "minilm@1", 8)
assert store.file_ids() == set(), store.file_ids()
store.close()
built = [name for name in sys.modules if name.startswith("lance_namespace_urllib3_client.api.")]
assert "lancedb" in sys.modules
assert not built, built
"""


def test_the_store_opens_without_the_catalogue_client(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _OPEN, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
