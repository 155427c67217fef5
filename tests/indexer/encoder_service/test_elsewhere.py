"""What a machine in the place of the service may answer, TLS, who is gone to, and coming back."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract.errors import InklingError
from engine.contract.types import Encoding, TextInput
from engine.encoders.elsewhere import AwayError, Job, Made
from engine.encoders.pool import EncoderPool
from engine.encoders.routed import RoutedEncoders
from engine.models.registry import model_spec
from indexer.encoder_service import wire
from tests.indexer.encoder_service.conftest import Laptop, serving
from tests.indexer.encoder_service.hostile import Handler, hostile
from tests.waiting import until

SPEC = model_spec("minilm")
TEXTS = [TextInput("one"), TextInput("another thing"), TextInput("a third")]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncoderPool]:
    """The model of this machine."""
    from engine.contract.paths import BaseDir

    base = BaseDir(tmp_path_factory.mktemp("pool")).create()
    with contextlib.closing(EncoderPool(SPEC, base)) as made:
        yield made


@pytest.fixture
def routed(pool: EncoderPool, laptop: Laptop) -> RoutedEncoders:
    return RoutedEncoders(pool, laptop.of(SPEC), lambda: True)


def made(count: int, **changes: Any) -> Made:
    rows = np.eye(4, SPEC.token_dim, dtype=np.float32)
    one = Encoding(np.eye(1, SPEC.dim, dtype=np.float32)[0], rows, np.zeros((4, 2), np.int32))
    return Made([replace(one, **changes) for _ in range(count)])


def with_nan(shape: tuple[int, ...]) -> np.ndarray:
    rows = np.zeros(shape, np.float32)
    rows[..., 0] = np.nan
    return rows


def answering(made: Made, space: str = SPEC.space) -> bytes:
    return wire.answer(made, space)


def raw(**changes: Any) -> bytes:
    """An answer with parts of other kinds."""
    good = wire.unpack(answering(made(3)))
    encodings = [{**one, **changes} for one in good["encodings"]]
    return wire.pack({**good, "encodings": encodings})


LONG = np.full((3, SPEC.dim), 2.0, np.float32)
ANSWERS: dict[str, bytes] = {
    "nothing": b"",
    "no frame": b"\x28\xb5\x2f\xfd and so on",
    "a web page": b"<html>Welcome</html>",
    "too few": answering(made(2)),
    "too many": answering(made(4)),
    "none without a reason": answering(Made([None, *made(2).encodings])),
    "another space": answering(made(3), "minilm-other-256"),
    "another size": answering(made(3, single=np.eye(1, 12, dtype=np.float32)[0])),
    "other tokens": answering(made(3, tokens=np.eye(4, 12, dtype=np.float32))),
    "NaN": answering(made(3, single=with_nan((SPEC.dim,)))),
    "infinite": answering(made(3, single=np.full(SPEC.dim, np.inf, np.float32))),
    "no direction": answering(made(3, single=np.zeros(SPEC.dim, np.float32))),
    "too long a vector": answering(made(3, single=np.full(SPEC.dim, 1.0, np.float32))),
    "tokens that are none": answering(made(3, tokens=np.zeros((4, SPEC.token_dim), np.float32))),
    "spans of others": answering(made(3, spans=np.zeros((9, 2), np.int32))),
    "a long note": answering(made(3, note="x" * 2000)),
    "objects": raw(single="a text"),
    "letters": raw(single=np.array(["a"])),
    "other numbers": raw(tokens=np.eye(4, SPEC.token_dim)),
    "a note of numbers": raw(note=7),
    "no map": wire.pack({"encodings": 5}),
    "a bomb": wire.pack({"x": bytes(20_000_000)}),
    "endless": bytes(30_000_000),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_can_not_be_right_is_made_here(
    what: str, routed: RoutedEncoders, laptop: Laptop
) -> None:
    with hostile(lambda way, asked: way.answer(ANSWERS[what])) as (url, _):
        laptop.use(url, "inkling_x")
        found = routed.encode_texts(TEXTS, "retrieval")
    assert [one.single.shape for one in found] == [(SPEC.dim,)] * 3
    assert routed.tally.total == {"here": 3, "elsewhere": 0}
    assert "can't be right" in routed.told()["error"]["message"]
    assert routed.told()["state"] == "away"


@pytest.mark.parametrize(
    ("status", "said"), [(500, "failed"), (302, "failed"), (409, "another model"), (401, "token")]
)
def test_refusals_are_said_and_made_here(
    status: int, said: str, routed: RoutedEncoders, laptop: Laptop
) -> None:
    elsewhere = "http://127.0.0.1:1/v1/encode"
    script: Callable[[Handler, Any], None] = lambda way, _: way.answer(  # noqa: E731
        b"{}", status, location=elsewhere
    )
    with hostile(script) as (url, _):
        laptop.use(url, "inkling_x")
        assert len(routed.encode_texts(TEXTS, "retrieval")) == 3
    assert said in routed.told()["error"]["message"]


def test_busy_is_left_alone_as_long_as_it_says(routed: RoutedEncoders, laptop: Laptop) -> None:
    with hostile(lambda way, _: way.answer(b"{}", 503, retry_after="40")) as (url, _):
        laptop.use(url, "inkling_x")
        assert len(routed.encode_texts(TEXTS, "retrieval")) == 3
    assert 0 < routed.told()["again_s"] <= 40
    assert "busy" in routed.told()["error"]["message"]


def test_what_drips_or_hangs_ends_at_the_deadline(laptop: Laptop) -> None:
    def drip(way: Handler, _: Any) -> None:
        way.send_response(200)
        way.send_header("content-length", "1000000")
        way.end_headers()
        while True:
            way.wfile.write(b"x")
            time.sleep(0.02)

    def hang(way: Handler, _: Any) -> None:
        release.wait()

    release = threading.Event()
    for script in (drip, hang):
        with hostile(script) as (url, _):
            laptop.use(url, "inkling_x")
            with pytest.raises(AwayError, match="takes too long"):
                laptop.of(SPEC).encode(Job("texts", "code", [["a", ""]], deadline_s=0.3))
            if script is hang:
                release.set()


def test_an_input_that_fails_there_has_its_last_word_here(
    routed: RoutedEncoders, laptop: Laptop
) -> None:
    def script(way: Handler, asked: wire.AskedEncoding) -> None:
        two = made(2).encodings
        error = InklingError("The model failed: {error}.", told={"error": "{secret}"})
        way.answer(answering(Made([two[0], None, two[1]], {1: error})))

    with hostile(script) as (url, _):
        laptop.use(url, "inkling_x")
        found = routed.encode_texts(TEXTS, "retrieval")
    assert routed.tally.total == {"here": 1, "elsewhere": 2}
    assert len(found) == 3
    assert routed.elsewhere.ready()  # it is not to blame


def test_one_that_comes_back_is_used_again(
    routed: RoutedEncoders, laptop: Laptop, workstation: Any
) -> None:
    with serving(workstation, "--model", "minilm") as service:
        token_file = workstation.root / "encoder-tokens.toml"
        token = service.token or _added(token_file)
        port = service.url.rsplit(":", 1)[1]
    with serving(workstation, "--model", "minilm", "--port", port) as service:
        laptop.use(service.url, token)
        routed.encode_texts(TEXTS, "retrieval")
        assert routed.tally.total["elsewhere"] == 3
        service.kill()
    routed.encode_texts(TEXTS, "retrieval")
    assert routed.tally.total == {"here": 3, "elsewhere": 3}
    with serving(workstation, "--model", "minilm", "--port", port) as service:
        until(lambda: routed.encode_texts(TEXTS, "code") and routed.told()["state"] == "used")


def _added(path: Path) -> str:
    """One more token for a service that has shown its first already."""
    from indexer.encoder_service.tokens import account, make_token

    token = make_token()
    path.write_text(path.read_text() + account("another", token))
    return token


# TLS


def certificates(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """An authority of one's own, and a certificate and key for a name by it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = dt.datetime.now(dt.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]

    def signed(subject: str, key: Any, *extensions: tuple[Any, bool]) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named("Own"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(keys[0], hashes.SHA256())

    identifier = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    own = signed(
        "Own",
        keys[0],
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (identifier, False),
        (usage, True),
    )
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    one = signed(
        name,
        keys[1],
        (x509.SubjectAlternativeName([x509.DNSName(name)]), False),
        (issuer, False),
    )
    paths = folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key"
    pem = serialization.Encoding.PEM
    paths[0].write_bytes(own.public_bytes(pem))
    paths[1].write_bytes(one.public_bytes(pem))
    paths[2].write_bytes(
        keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_tls_by_an_authority_of_ones_own(
    routed: RoutedEncoders, laptop: Laptop, workstation: Any, tmp_path: Path
) -> None:
    authority, cert, key = certificates(tmp_path, "localhost")
    with serving(workstation, "--model", "minilm", "--cert", str(cert), "--key", str(key)) as made:
        token = made.token or _added(workstation.root / "encoder-tokens.toml")
        assert made.url.startswith("https://")
    given = ("--model", "minilm", "--cert", str(cert), "--key", str(key))
    with serving(workstation, *given) as made:
        url = made.url.replace("127.0.0.1", "localhost")
        laptop.use(url, token)  # without the authority nobody is trusted
        routed.encode_texts(TEXTS, "retrieval")
        assert "certificate of localhost does not hold" in routed.told()["error"]["message"]
        laptop.use(url, token, authority.read_text())
        routed.encode_texts(TEXTS, "retrieval")
        assert routed.tally.total["elsewhere"] == 3
        # The same certificate by another name.
        laptop.use(made.url, token, authority.read_text())
        routed.encode_texts(TEXTS, "retrieval")
        assert "certificate of 127.0.0.1 does not hold" in routed.told()["error"]["message"]
        laptop.use(url, token, "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
        routed.encode_texts(TEXTS, "retrieval")
        assert "can't be read" in routed.told()["error"]["message"]


# Who is gone to


def test_another_machine_is_confirmed_first(laptop: Laptop) -> None:
    laptop.use("https://workstation.invalid:8424", "inkling_x")
    elsewhere = laptop.of(SPEC)
    assert not elsewhere.ready()
    assert elsewhere.told()["to_confirm"] == "workstation.invalid"
    with pytest.raises(AwayError, match="was not confirmed"):
        laptop.encoders.way(laptop.encoders.named())
    laptop.settings.encoder_confirmed = "workstation.invalid"
    assert elsewhere.ready()
    laptop.settings.encoder_address = "http://workstation.invalid:8424"
    with pytest.raises(AwayError, match="unencrypted"):
        elsewhere.encode(Job("texts", "code", [["a", ""]]))


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("[encoder]\nother_machines = false\n", False),
        ("[answers]\nother_machines = false\n", False),
        ("[answers]\nenabled = false\n", False),
        ("[answers]\nother_machines = false\n[encoder]\nother_machines = true\n", True),
        ("[encoder]\nother_machine = true\n", False),
        ("[encoder]\nother_machines = 1\n", False),
        ("not TOML", False),
        ("", True),
    ],
)
def test_a_policy_file_may_forbid_it(
    policy: str, allowed: bool, tmp_path: Path, laptop: Laptop
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(policy)
    laptop.encoders._environment = {"INKLING_POLICY": str(path)}
    laptop.use("https://workstation.invalid:8424", "inkling_x")
    laptop.settings.encoder_confirmed = "workstation.invalid"
    assert laptop.of(SPEC).ready() == allowed


def test_turns_are_fair_and_the_cancelled_leave() -> None:
    import asyncio

    from indexer.encoder_service.turns import FullError, Turns

    done: list[str] = []

    async def one(turns: Turns, client: str) -> None:
        async with turns.turn(client, urgent=False):
            done.append(client)
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        turns = Turns(1, 5)
        tasks = [asyncio.create_task(one(turns, "a")) for _ in range(6)]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(one(turns, "b")) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert done == ["a", "a", "a", "b", "a", "b", "a", "b"]
        assert turns.waiting == 0
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(turns.turn("a", urgent=False))
            many = [asyncio.create_task(one(turns, "b")) for _ in range(5)]
            await asyncio.sleep(0)
            with pytest.raises(FullError):
                await one(turns, "b")
            async with turns.turn("a", urgent=True):  # a question waits for nobody
                pass
        await asyncio.gather(*many)
        assert turns.waiting == 0

    asyncio.run(all_of_them())
