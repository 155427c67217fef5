"""Weights of models: licence, download from a loopback hub, adding a folder, removal."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine import model_download, model_files
from engine.errors import InklingError
from engine.model_download import DownloadCancelledError, Progress, download
from engine.models import ModelSpec, model_spec
from engine.paths import BaseDir

CHECKPOINT = Path(__file__).resolve().parents[1] / "golden" / "jina_v4" / "ckpt"
SPEC = replace(
    model_spec("jina-v4"), dims=(64, 32, 16, 8), dim=32, token_dim=16, download_bytes=500_000
)
BIG = "model.safetensors"


class Hub(ThreadingHTTPServer):
    """Serves a folder the way the hub does, with faults to order."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.ranges: list[str | None] = []  # asked for of the big file
        self.break_after = 0  # bytes, of each answer; 0 never
        self.ignore_ranges = False
        self.status = 200
        self.extra: list[dict[str, object]] = []  # entries of the list
        self.flip = False  # send a wrong byte

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def listing(self) -> list[dict[str, object]]:
        entries: list[dict[str, object]] = [{"type": "directory", "path": "adapters", "oid": "x"}]
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
                name = path.relative_to(self.folder).as_posix()
                entry: dict[str, object] = {"type": "file", "path": name, "size": len(data)}
                entry["oid"] = blob
                if name.endswith(".safetensors"):
                    entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
                entries.append(entry)
        return entries + self.extra


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        resolve = f"/{SPEC.source}/resolve/{SPEC.revision}/"
        if hub.status != 200:
            self.send_error(hub.status)
        elif self.path == f"/api/models/{SPEC.source}/tree/{SPEC.revision}?recursive=true":
            self._answer(json.dumps(hub.listing()).encode())
        elif self.path.startswith(resolve):
            self._file(self.path.removeprefix(resolve))
        else:
            self.send_error(404)

    def _file(self, name: str) -> None:
        hub, data = self.server, (self.server.folder / name).read_bytes()
        wanted = self.headers["Range"]
        if name == BIG:
            hub.ranges.append(wanted)
            if hub.flip:
                data = data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if hub.ignore_ranges:
            start = 0
        self._answer(data[start:], 206 if start else 200)

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        limit = self.server.break_after if len(body) > 100_000 else 0
        self.wfile.write(body[:limit] if limit else body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(model_download, "_PAUSE_S", 0.01)
    monkeypatch.setattr(model_download, "_CHUNK", 10_000)
    server = Hub(CHECKPOINT)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


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
    with pytest.raises(InklingError, match="are incomplete"):
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

    from engine.encoders import jina_v4

    encoder = jina_v4.load(base.models / "jina-v4", spec)
    assert encoder.encode_queries(["hello"], "retrieval")[0].single.shape == (32,)

    damaged = files / BIG
    data = bytearray(damaged.read_bytes())
    data[5000] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(InklingError, match=r"model\.safetensors is missing or has changed"):
        model_files.verify(spec, base)
    model_files.remove(spec, base)
    assert model_files.state(spec, base).state == "missing"
    assert model_files.licence_accepted(spec, base)


def test_a_wrong_digest_is_no_model(base: BaseDir, hub: Hub, spec: ModelSpec) -> None:
    hub.flip = True
    with pytest.raises(InklingError, match="digest differs"):
        download(spec, base, url_base=hub.url)
    assert not list((base.models / "jina-v4" / "files").glob(f"{BIG}*"))
    assert model_files.state(spec, base).state == "incomplete"


def test_a_server_without_ranges_sends_all_again(
    base: BaseDir, hub: Hub, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = base.models / "jina-v4" / "files" / f"{BIG}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half of something else")
    hub.ignore_ranges = True
    # The whole check runs in the test above; here only what leads up to it.
    monkeypatch.setattr(model_files, "check_tensors", lambda spec, folder: None)
    download(spec, base, url_base=hub.url)
    assert (part.parent / BIG).read_bytes() == (CHECKPOINT / BIG).read_bytes()


def test_what_the_registry_pins_must_be_met(
    base: BaseDir, hub: Hub, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "check_tensors", lambda spec, folder: None)
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


def test_names_that_lead_out_of_the_folder_and_code_are_left(
    base: BaseDir, hub: Hub, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "check_tensors", lambda spec, folder: None)
    for name in ("../../escaped.json", "/escaped.json", "modeling.py", "a\\..\\b.json"):
        hub.extra.append({"type": "file", "path": name, "size": 3, "oid": "x"})
    download(spec, base, url_base=hub.url)
    names = {p.name for p in base.root.parent.rglob("*") if p.is_file()}
    assert "config.json" in names
    assert not names & {"escaped.json", "modeling.py", "b.json"}


def test_no_plain_http_beyond_this_machine(base: BaseDir, spec: ModelSpec) -> None:
    with pytest.raises(InklingError, match="not a safe address"):
        download(spec, base, url_base="http://example.org")


def test_a_folder_of_ones_own_is_used_in_place(
    base: BaseDir, spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "check_tensors", lambda spec, folder: None)
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
