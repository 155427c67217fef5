"""`python -m indexer serve --encoder`: the encoder service, a process of its own until stopped."""

from __future__ import annotations

import argparse
import contextlib
import logging
import shutil
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from engine.contract import log
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir, base_dir
from engine.contract.settings import Settings
from engine.contract.types import TextInput
from engine.encoders.pool import EncoderPool
from engine.models import files as model_files
from engine.models.registry import ModelSpec, model_spec
from engine.models.sizes import as_found
from indexer.asking.addresses import is_loopback
from indexer.encoder_service.tokens import Tokens, first_token

#: Where it listens unless told otherwise.
PORT = 8424
#: Seconds without work after which the model gives its memory back.
_IDLE_S = 900.0
#: Seconds after which a connection without requests is closed.
_KEEP_ALIVE_S = 75
#: Connections at once.
_MOST_CONNECTIONS = 64

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Serve; 0 after an orderly end, 1 with a sentence on stderr after an error."""
    parser = argparse.ArgumentParser(prog="inkling serve", description=__doc__)
    parser.add_argument("--encoder", action="store_true", required=True)
    parser.add_argument("--base-dir")
    parser.add_argument("--model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--token-file")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # what the server hears it raises once more
        signal.signal(number, signal.default_int_handler)
    try:
        base = base_dir(options.base_dir).create()
        log.set_up(base.logs, "encoder")
        serve(base, options)
    except InklingError as error:
        logger.error("%s", error)
        sys.stderr.write(f"inkling: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def serve(base: BaseDir, options: argparse.Namespace) -> None:
    """Answer until a signal; InklingError where it can't begin."""
    import uvicorn

    from indexer.encoder_service.service import EncoderService

    spec = _spec(base, options.model)
    secure = _secure(options.host, options.cert, options.key)
    path = Path(options.token_file or base.root / "encoder-tokens.toml").expanduser()
    token = first_token(path)
    tokens = Tokens(path)
    listener = _listen(options.host, options.port)
    port = int(listener.getsockname()[1])
    scratch = base.run / f"encoder-{port}"  # nobody else has it while this one listens
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    settings = Settings.load(base)
    pool = EncoderPool(spec, base, idle_s=_IDLE_S, threads=settings.encoder_threads or None)
    service = EncoderService(pool, tokens.of, scratch)
    config = uvicorn.Config(
        service.app,
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=_KEEP_ALIVE_S,
        ssl_certfile=options.cert if secure else None,
        ssl_keyfile=options.key if secure else None,
    )
    shown = f"[{options.host}]" if ":" in options.host else options.host
    _say(f"Encoding with {spec.title} at {'https' if secure else 'http'}://{shown}:{port}")
    if token:
        _say(f"The token, shown this once: {token}")
        _say(f"Its hash is kept in {path}.")
    try:
        threading.Thread(target=_warm, args=(pool,), daemon=True).start()
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        pool.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _warm(pool: EncoderPool) -> None:
    """Load the model before anybody waits for it."""
    with contextlib.suppress(InklingError):  # the first who asks is told
        pool.encode_texts([TextInput("warm")], pool.spec.adapters[0])


def _spec(base: BaseDir, model: str | None) -> ModelSpec:
    """The model that is served, whose weights are here."""
    spec = model_spec(model or Settings.load(base).model)
    model_files.require_licence(spec, base)
    if model_files.state(spec, base).state not in ("built in", "ready"):
        raise InklingError(
            "The weights of {title} are not all here.",
            hint="`inkling model download {id}` gets them.",
            told={"title": spec.title, "id": spec.id},
        )
    return as_found(spec, base)


def _secure(host: str, cert: str | None, key: str | None) -> bool:
    """Whether it is asked by TLS; InklingError where it would be asked in the clear by others."""
    if not cert and not key:
        if not _loopback(host):
            raise InklingError(
                "Texts of other machines are not taken unencrypted.",
                hint="Give a certificate: --cert FILE --key FILE.",
            )
        return False
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert or "", key)
    except (OSError, ssl.SSLError) as error:
        raise InklingError(
            "The certificate {cert} can't be used: {error}.",
            hint="--cert and --key are files in PEM format that belong together.",
            told={"cert": cert or "", "error": error},
        ) from error
    return True


def _loopback(host: str) -> bool:
    return host == "localhost" or is_loopback(host)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise InklingError(
            "Nothing can be served at {host}, port {port}: {error}.",
            hint="Choose another with --host and --port.",
            told={"host": host, "port": port, "error": getattr(error, "strerror", "") or error},
        ) from error
