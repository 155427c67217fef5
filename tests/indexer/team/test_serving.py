"""The process: TLS, renewed certificates, what it refuses to start with, killed and back."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from engine.contract import launch
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from indexer.team import limiting
from indexer.team.accounts import made_token
from indexer.team.served import Served, Service
from indexer.team.serving import Place, Server
from tests.indexer.team.archives import Given, made
from tests.waiting import until

BREAD = Given("/share/bread.txt", "note", (5,), frozenset({"everyone"}))


def certified(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate of its own and its key."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


def app() -> Starlette:
    return Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])


def asked(url: str, cert: Path) -> str:
    """The answer over TLS; ssl.SSLError unless the service shows this certificate."""
    context = ssl.create_default_context(cafile=str(cert))
    port = int(url.rpartition(":")[2])
    return httpx2.get(f"https://localhost:{port}/", verify=context).text


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    cert, key = certified(tmp_path / "tls")
    server = Server(app(), Place("127.0.0.1", 0, cert, key))
    server.start()
    yield server, cert
    server.stop()


def test_it_answers_over_tls_and_takes_a_renewed_certificate(
    running: tuple[Server, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, cert = running
    assert server.url.startswith("https://127.0.0.1:")
    assert asked(server.url, cert) == "here"
    new_cert, new_key = certified(tmp_path / "new")
    with pytest.raises(httpx2.ConnectError):
        asked(server.url, new_cert)
    monkeypatch.setattr("indexer.team.serving._RENEWED_S", 0.05)
    ending = threading.Event()
    waiting = threading.Thread(target=server.wait, args=(ending,))
    waiting.start()
    os.replace(new_cert, cert)  # half of it: stays as it was
    os.replace(new_key, cert.with_name("key.pem"))

    def renewed() -> bool:
        try:
            return asked(server.url, cert) == "here"
        except httpx2.ConnectError:
            return False

    until(renewed)
    ending.set()
    waiting.join()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "0.0.0.0"}, "Without TLS only this machine is answered, not 0.0.0.0."),
        ({"host": "example.org"}, "Without TLS only this machine is answered"),
        ({"cert": Path("/x.pem")}, "A certificate and its key belong together."),
    ],
)
def test_where_it_can_t_answer_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InklingError, match=said):
        Place(**given)


def test_a_certificate_that_can_t_be_used_is_said(tmp_path: Path) -> None:
    cert, _ = certified(tmp_path / "a")
    _, other = certified(tmp_path / "b")
    with pytest.raises(InklingError, match="key values mismatch"):
        Server(app(), Place("127.0.0.1", 0, cert, other))
    with pytest.raises(InklingError, match="No such file"):
        Server(app(), Place("127.0.0.1", 0, cert, tmp_path / "none.pem"))


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InklingError, match=f"Port {port} is taken by another program."):
            Server(app(), Place("127.0.0.1", port))


def test_whoever_sends_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "HEADERS_S", 0.2)
    server = Server(app(), Place("127.0.0.1", 0))
    server.start()
    port = int(server.url.rpartition(":")[2])
    for begun in (b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow"):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(begun)
            assert connection.recv(1) == b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 100_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    server.stop()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    made(tmp_path / "archive", [BREAD]).close()
    return tmp_path / "archive"


def accounts(folder: Path) -> tuple[Path, dict[str, str]]:
    token, lines = made_token("mara")
    file = folder / "accounts.toml"
    file.write_text(lines)
    return file, {"Authorization": f"Bearer {token}"}


def test_what_can_t_be_served_is_said(tmp_path: Path, base: BaseDir, archive: Path) -> None:
    file, _ = accounts(tmp_path)

    def error(uri: Path, **changed: Any) -> str:
        with pytest.raises(InklingError) as raised:
            Service(Served(str(uri), tmp_path / "serve", base, **{"accounts": file, **changed}))
        return raised.value.message

    assert "no archive" in error(tmp_path / "none")
    assert error(archive, accounts=None) == "Nobody could log in: there are no accounts."
    assert "can't be read" in error(archive, accounts=tmp_path / "none.toml")
    service = Service(Served(str(archive), tmp_path / "serve", base, accounts=file))
    assert "Another service already runs" in error(archive)
    service.close()
    other = tmp_path / "other"
    made(other, [BREAD]).close()
    service = Service(Served(str(other), tmp_path / "serve", base, accounts=file))
    assert service.follower.step()
    service.close()


def test_it_starts_without_its_archive_where_it_was_served_before(
    tmp_path: Path, base: BaseDir, archive: Path
) -> None:
    file, _ = accounts(tmp_path)
    served = Served(str(archive), tmp_path / "serve", base, accounts=file)
    service = Service(served)
    while service.follower.step():
        pass
    service.close()
    archive.rename(tmp_path / "away")
    service = Service(served)
    service.start()
    until(service.follower.away)
    assert service.health()["status"] == "degraded"
    assert service.names.view(None).counts()["done"] == 1
    (tmp_path / "away").rename(archive)
    until(lambda: service.health() == {"status": "ok", "problems": []})
    service.close()


def test_killed_it_answers_again(tmp_path: Path, base: BaseDir, archive: Path) -> None:
    """As people start it, over TLS; killed, and started anew."""
    file, headers = accounts(tmp_path)
    cert, key = certified(tmp_path / "tls")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = launch.command(
        "indexer", "serve", "--archive", str(archive), "--dir", str(tmp_path / "serve"),
        "--base-dir", str(base.root), "--port", str(port), "--accounts", str(file),
        "--cert", str(cert), "--key", str(key),
    )  # fmt: skip
    context = ssl.create_default_context(cafile=str(cert))

    def hits() -> list[str]:
        try:
            reply = httpx2.post(
                f"https://localhost:{port}/v1/search", json={"query": "sourdough"},
                headers=headers, verify=context, timeout=60,
            )  # fmt: skip
        except httpx2.TransportError:
            return []
        return [hit["path"] for hit in reply.json().get("hits", ())]

    for end in (signal.SIGKILL, signal.SIGTERM):
        with (tmp_path / "said").open("wb") as said:
            process = subprocess.Popen(command, env=launch.environment(), stdout=said)
        until(lambda: hits() == [BREAD.path])
        process.send_signal(end)
        status = process.wait(60)
        assert status == (-signal.SIGKILL if end == signal.SIGKILL else 0)
    said_to = (tmp_path / "said").read_text()
    assert "inkling archive add team https://127.0.0.1" in said_to


def test_a_token_is_made_in_the_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "serve", "token", "mara", "--groups", "finance"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("inkling_")
    assert 'name = "mara"' in done.stdout
    assert done.stdout.split()[0] not in done.stdout[50:]
