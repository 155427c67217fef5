"""Routes for the encoder on another machine: how it goes, naming one, confirming, leaving it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.routing import Route

from indexer.server.ports import Encoder
from indexer.server.request_types import Nothing, as_json, get, post

Line = Annotated[str, Meta(max_length=500)]


class AskedEncoder(Struct):
    """Where it is, and what opens it; `model` where it is a server with OpenAI's API."""

    address: Line
    #: Not given: the kept one, where it is of this address.
    token: Line = ""
    authority: Annotated[str, Meta(max_length=200_000)] = ""
    model: Line = ""


class AskedHost(Struct):
    """The name of another machine, as it was typed."""

    host: Line


def encoder_routes(port: Encoder) -> list[Route]:
    """Under /v1."""

    def told(_: Nothing) -> Response:
        return as_json(port.told())

    def use(asked: AskedEncoder) -> Response:
        return as_json(port.use(asked.address, asked.token, asked.authority, asked.model))

    def confirm(asked: AskedHost) -> Response:
        return as_json(port.confirm(asked.host))

    def test(_: Nothing) -> Response:
        return as_json(port.test())

    def leave(_: Nothing) -> Response:
        return as_json(port.leave())

    return [
        get("/v1/encoder", Nothing, told),
        post("/v1/encoder/use", AskedEncoder, use),
        post("/v1/encoder/confirm", AskedHost, confirm),
        post("/v1/encoder/test", Nothing, test),
        post("/v1/encoder/local", Nothing, leave),
    ]
