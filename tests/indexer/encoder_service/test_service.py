"""A real service on loopback: what it makes is what is made here; who may ask, and of what."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Encoding, TextInput
from engine.encoders.elsewhere import AwayError, Job
from engine.encoders.pool import EncoderPool
from engine.encoders.requests import InputsFailedError
from engine.encoders.routed import RoutedEncoders, routed
from engine.models import files as model_files
from engine.models.registry import model_spec
from engine.models.served import note_served
from engine.models.sizes import as_found
from engine.search.late_interaction import pool, quantise
from indexer.encoder_service import wire
from tests.golden import gemma2_check
from tests.indexer.encoder_service.conftest import Laptop, Service, serving
from tests.waiting import until

MINILM = model_spec("minilm")
TEXTS = [
    TextInput(f"The keeper of lighthouse {n} counted {n * 7} ships." * (n % 5 + 1), "Log")
    for n in range(130)
]
OTHER_LENGTHS = [TextInput(""), TextInput("\ud800 half a sign"), TextInput("naïve café 東京")]


@contextlib.contextmanager
def encoders(laptop: Laptop, model: str = "minilm"):  # type: ignore[no-untyped-def] # noqa: ANN201
    spec = as_found(model_spec(model), laptop.base)
    made = routed(EncoderPool(spec, laptop.base), laptop.base, laptop.encoders.of)
    try:
        yield made
    finally:
        made.close()


def kept(made: Encoding) -> np.ndarray:
    """The tokens as they are stored."""
    return quantise(pool(made.tokens, 2, spans=made.spans, boxes=made.boxes).tokens)


def same(there: list[Encoding], here: list[Encoding]) -> None:
    """Single vectors to 1e-6, tokens to what 16 bits hold."""
    assert len(there) == len(here)
    for one, other in zip(there, here, strict=True):
        assert one.single == pytest.approx(other.single, abs=1e-6)
        assert one.tokens.shape == other.tokens.shape
        assert np.abs(one.tokens - other.tokens).max(initial=0.0) < 2e-5
        for a, b in ((one.spans, other.spans), (one.boxes, other.boxes)):
            assert (a is None and b is None) or np.array_equal(a, b)  # type: ignore[arg-type]
        assert (one.note, one.pieces) == (other.note, other.pieces)


@pytest.mark.parametrize("model", ["minilm", "e5-minilm"])
def test_the_same_vectors_come_from_there(
    model: str, tmp_path: Path, service: Service, laptop: Laptop
) -> None:
    texts = [*TEXTS[:40], *OTHER_LENGTHS]
    with contextlib.ExitStack() as stack:
        if model == "minilm":
            used = service
        else:
            base = BaseDir(tmp_path / "workstation").create()
            used = stack.enter_context(serving(base))  # the model of the settings
        laptop.use(used.url, used.token)
        there = stack.enter_context(encoders(laptop, model))
        until(lambda: there.elsewhere.ready() and there.encode_texts(texts[:1], "code"))
        here = stack.enter_context(contextlib.closing(EncoderPool(there.spec, laptop.base)))
        made, made_here = (e.encode_texts(texts, "retrieval") for e in (there, here))
        same(made, made_here)
        assert there.tally.total["elsewhere"] >= len(texts)
        assert there.pids() == []  # nothing was loaded here
        different = sum((kept(a) != kept(b)).sum() for a, b in zip(made, made_here, strict=True))
        assert different / sum(kept(one).size for one in made) < 0.01
        chunks = ("A first thing. A second thing.", [(0, 14), (15, 30)], "Log", "retrieval")
        same(there.encode_chunks(*chunks), here.encode_chunks(*chunks))


def test_questions_of_a_model_that_is_awake_stay_here(laptop: Laptop, service: Service) -> None:
    laptop.use(service.url, service.token)
    with encoders(laptop) as there:
        there.encode_queries(["where is the lighthouse"], "retrieval")
        assert there.tally.total == {"here": 0, "elsewhere": 0}


def test_the_token_is_made_once_and_kept_as_a_hash(workstation: BaseDir, service: Service) -> None:
    path = workstation.root / "encoder-tokens.toml"
    assert service.token.startswith("inkling_")
    assert service.token not in path.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert service.said[0].startswith("Encoding with MiniLM")


def test_a_wrong_token_opens_nothing(laptop: Laptop, service: Service) -> None:
    laptop.use(service.url, "inkling_wrong")
    with encoders(laptop) as there:
        made = there.encode_texts(TEXTS[:2], "retrieval")
        assert len(made) == 2
        assert there.tally.total == {"here": 2, "elsewhere": 0}
        told = there.told()
        assert told["state"] == "away"
        assert "does not accept the token" in told["error"]["message"]
        assert told["again_s"] >= 0
        # With the right one it is used at once, whatever was found before.
        laptop.use(service.url, service.token)
        there.encode_texts(TEXTS[:2], "retrieval")
        assert there.tally.total["elsewhere"] == 2


def test_a_token_goes_to_its_address_alone(laptop: Laptop) -> None:
    laptop.use("http://127.0.0.1:1", "inkling_secret")
    laptop.settings.encoder_address = "http://127.0.0.1:2"
    named = laptop.encoders.named()
    assert named.address is not None
    assert laptop.encoders.kept.of(named.address) == ("", "")
    path = laptop.base.encoder / "access.json"
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_model_is_said_and_encoded_here(laptop: Laptop, service: Service) -> None:
    laptop.use(service.url, service.token)
    with encoders(laptop, "e5-minilm") as there:
        there.encode_texts(TEXTS[:2], "retrieval")
        assert there.tally.total == {"here": 2, "elsewhere": 0}
        assert "serves another model" in there.told()["error"]["message"]


def test_requests_that_are_none_are_refused(service: Service) -> None:
    job = Job("texts", "retrieval", [["a", ""]])
    good = wire.asked(job, MINILM.space)

    def status(body: bytes, **headers: str) -> int:
        at = urlsplit(service.url)
        with contextlib.closing(http.client.HTTPConnection(at.hostname or "", at.port)) as way:
            given = {"Authorization": f"Bearer {service.token}", **headers}
            way.request("POST", "/v1/encode", body, given)
            answer = way.getresponse()
            said = answer.read()
            assert answer.status == 200 or json.loads(said)["error"]["message"]
            return answer.status

    assert status(good) == 200
    assert status(good, Authorization="Bearer x") == 401
    assert status(good, Authorization=service.token) == 401
    assert status(good, Origin="http://example.org") == 403
    assert status(good, **{"Content-Length": str(wire.MOST_BODY + 1)}) == 413
    for bad in (b"", b"\x00" * 40, good[:-4], wire.pack({"space": 1}), wire.pack({})):
        assert status(bad) == 422
    for items in ([], [1], [["a"]], [["a", "b", "c"]], [["a", ""]] * 1000):
        odd = {"space": MINILM.space, "op": "texts", "adapter": "code", "items": items}
        assert status(wire.pack(odd)) == 422
    spans = {
        "space": MINILM.space,
        "op": "chunks",
        "adapter": "code",
        "items": ["ab", [[0, 9]], ""],
    }
    assert status(wire.pack(spans)) == 422
    bomb = wire.pack({"space": "x" * (wire.MOST_FRAME + 1)})
    assert len(bomb) < 100_000
    assert status(bomb) == 422
    assert status(wire.asked(job, "another-1-2")) == 409


def gemma_tiny(base: BaseDir) -> None:
    spec = model_spec("embeddinggemma-2")
    checkpoint = Path(gemma2_check.__file__).parent / "gemma2" / "ckpt"
    model_files.accept_licence(spec, base)
    model_files.add(spec, base, checkpoint)
    model_files.set_options(spec, base, model_files.Options(device="cpu", precision="fp32"))


@pytest.mark.slow
def test_pictures_are_seen_there_by_a_machine_that_has_no_weights(
    tmp_path: Path, laptop: Laptop
) -> None:
    workstation = BaseDir(tmp_path / "workstation").create()
    gemma_tiny(workstation)
    spec = model_spec("embeddinggemma-2")
    found = as_found(spec, workstation)
    assert found.space != spec.space
    model_files.accept_licence(spec, laptop.base)
    note_served(found, laptop.base)  # as `inkling encoder use` does when it has asked
    assert as_found(spec, laptop.base).space == found.space
    model_files.ensure_usable(spec, laptop.base)
    images = sorted(Path(gemma2_check.__file__).parent.joinpath("gemma2", "images").iterdir())
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and nothing")
    with contextlib.ExitStack() as stack:
        used = stack.enter_context(serving(workstation, "--model", spec.id))
        laptop.use(used.url, used.token)
        there = stack.enter_context(encoders(laptop, spec.id))
        assert isinstance(there, RoutedEncoders)
        until(lambda: there.elsewhere.ready() and _worked(there))
        here = stack.enter_context(contextlib.closing(EncoderPool(found, workstation)))
        paths = [str(path) for path in images]
        same(there.encode_images(paths, "retrieval"), here.encode_images(paths, "retrieval"))
        same(
            there.encode_queries(["a red boat"], "code"),
            here.encode_queries(["a red boat"], "code"),
        )
        with pytest.raises(InputsFailedError) as caught:
            there.encode_images([paths[0], str(broken)], "retrieval")
        assert set(caught.value.failed) == {1}
        assert caught.value.encodings[0] is not None
        assert there.state != "failed"  # the picture is to blame, not the machine
        assert list((workstation.run / f"encoder-{urlsplit(used.url).port}").iterdir()) == []
        used.kill()
        with pytest.raises(AwayError, match="can't encode now: The encoder at "):
            there.encode_queries(["a red boat"], "retrieval")
        assert there.state == "failed"


def _worked(there: RoutedEncoders) -> bool:
    """Whether the service has loaded its model by now."""
    try:
        return bool(there.encode_texts([TextInput("x")], "retrieval"))
    except AwayError:
        return False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "not taken unencrypted"),
        (["--cert", "/nowhere.pem", "--key", "/nowhere.pem"], "can't be used"),
        (["--model", "jina-v4"], "licence of Jina"),
        (["--model", "none"], "none"),
        (["--token-file", "BROKEN"], "can't be understood"),
    ],
)
def test_what_can_not_be_served_is_said(
    base: BaseDir, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from indexer.encoder_service.running import main

    broken = base.root / "tokens.toml"
    broken.write_text("[[account]]\nname = 3\n")
    given = [str(broken) if one == "BROKEN" else one for one in arguments]
    assert main(["--encoder", "--base-dir", str(base.root), "--port", "0", *given]) == 1
    assert said in capsys.readouterr().err


def test_the_command_line_serves_and_ends_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "desktop", "--base-dir", str(tmp_path / "base"), "serve"]
    process = subprocess.Popen(
        [*command, "--encoder", "--model", "minilm", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Encoding with MiniLM")
    os.killpg(process.pid, 2)  # Ctrl+C goes to all of a terminal
    assert process.wait() == 0
    process.stdout.close()


def test_errors_are_sentences(laptop: Laptop) -> None:
    laptop.use("http://127.0.0.1:1", "inkling_x")
    elsewhere = laptop.of(MINILM)
    with pytest.raises(AwayError, match="can't be reached"):
        elsewhere.encode(Job("texts", "retrieval", [["a", ""]]))
    assert not elsewhere.ready()
    assert isinstance(elsewhere.why(), InklingError)
