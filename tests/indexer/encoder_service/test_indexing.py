"""An indexer whose passages are encoded elsewhere, through its API: killed in the middle, nothing
is lost; what is named is confirmed, kept and left again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from desktop.client import Client
from desktop.terminal.cli import main
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import TextInput
from engine.encoders.pool import EncoderPool
from engine.models.registry import model_spec
from engine.store import Store
from tests.indexer.encoder_service.conftest import serving
from tests.light_model import light
from tests.waiting import PATIENCE, until

SPEC = model_spec("minilm")
FILES = 150


@contextlib.contextmanager
def indexing(base: BaseDir) -> Iterator[Client]:
    client = Client.connect(light(base))
    process = psutil.Process(client.endpoint.pid)
    try:
        yield client
    finally:
        family = [process, *process.children(recursive=True)]
        client.stop()
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert not alive


def encoding(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.call("GET", "/v1/encoder")
    return found


@pytest.mark.slow
def test_a_service_that_dies_in_the_middle_costs_nothing(tmp_path: Path, base: BaseDir) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for n in range(FILES):
        text = " ".join(f"Keeper {n} counted {n * k} ships." for k in range(60))
        (folder / f"log-{n}.md").write_text(f"# Day {n}\n\n{text}\n")
    workstation = BaseDir(tmp_path / "workstation").create()
    with serving(workstation, "--model", "minilm") as service, indexing(base) as client:
        used = client.call(
            "POST", "/v1/encoder/use", {"address": service.url, "token": service.token}
        )
        assert used["serves"]["model"] == "minilm"
        client.add([str(folder)])
        until(lambda: encoding(client)["there"]["encoded"] > 0)
        service.kill()
        until(lambda: client.status()["state"] == "idle", client.status)
        status, told = client.status(), encoding(client)
        assert status["totals"]["done"] == FILES
        assert told["there"]["encoded"] > 0
        assert told["here"]["encoded"] > 0
        assert told["state"] == "away"
        assert status["model"]["encoding"]["host"] == "127.0.0.1"
        units = status["totals"]["units"]
        # Nothing twice, nothing lost: as many as were encoded, there and here.
        assert told["there"]["encoded"] + told["here"]["encoded"] == units == status["encoded"]
    store = Store.open(base.store, SPEC.space, SPEC.dim)
    try:
        rows = [row for file_id in store.file_ids() for row in store.file_rows(file_id)]
        assert len({row.unit_id for row in rows}) == len(rows) == units
        vectors = store.vectors([row.unit_id for row in rows])
        with contextlib.closing(EncoderPool(SPEC, base)) as pool:
            made = pool.encode_texts([TextInput(r.text, r.context) for r in rows], "retrieval")
        for row, one in zip(rows, made, strict=True):
            # Kept as 16 bits; another batch rounds the last digit otherwise.
            assert float(np.dot(vectors[row.unit_id], one.single)) > 0.9999
    finally:
        store.close()


def test_naming_confirming_and_leaving(
    tmp_path: Path, base: BaseDir, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("inkling_x\n")

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["--base-dir", str(base.root), "encoder", *arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    with indexing(base) as client:
        assert run("status") == (0, "Encoding happens on this machine alone.\n")
        far = "https://workstation.invalid:8424"
        code, said = run("use", far, "--token-file", str(token))
        assert (code, "--confirm workstation.invalid" in said) == (2, True)
        assert encoding(client)["state"] == "unconfirmed"
        code, said = run("use", far, "--confirm", "another")
        assert (code, "exactly so" in said) == (2, True)
        code, said = run("use", far, "--confirm", "workstation.invalid")
        assert (code, "can't be reached" in said) == (0, True)
        assert encoding(client)["host"] == "workstation.invalid"
        assert "inkling_x" in (base.encoder / "access.json").read_text()
        with pytest.raises(InklingError, match="by typing its name"):
            client.call("PATCH", "/v1/settings", {"encoder_confirmed": "elsewhere"})
        # Of another address nothing is confirmed.
        client.call("PATCH", "/v1/settings", {"encoder_address": "https://other.invalid"})
        assert client.call("GET", "/v1/settings")["values"]["encoder_confirmed"] == ""
        code, said = run("use", "http://workstation.invalid:8424")
        assert (code, "unencrypted" in said) == (2, True)
        code, said = run("use", "http://a b")
        assert (code, "no address" in said) == (2, True)
        assert run("local")[1] == "Encoding happens on this machine alone.\n"
        assert not (base.encoder / "access.json").exists()
