"""What the routes share: requests checked by their types, answers in JSON, errors in one form."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.contract import codec
from engine.contract.errors import InklingError
from engine.contract.types import Filters

MAX_LIMIT = 5_000
MAX_QUERY = 10_000
#: PATH_MAX on Linux is 4,096 bytes.
_MAX_PATH = 8_192

Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
Page = Annotated[int, Meta(ge=1, le=1_000_000)]
Paths = Annotated[list[str], Meta(max_length=1000)]


class BadRequestError(Exception):
    """A request that is not well formed."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Nothing(Struct):
    """What a call is asked that needs no more than its name."""


class AskedPath(Struct):
    """Of a query string: one path, byte for byte."""

    path: str

    def __post_init__(self) -> None:
        self.path = checked_path(self.path)


class AskedPaths(Struct):
    """Of a body."""

    paths: Paths

    def __post_init__(self) -> None:
        self.paths = [checked_path(path) for path in self.paths]


Asked = TypeVar("Asked")


#: Runs in a thread, or in the loop where it waits for others.
Reply = Callable[[Asked], Response] | Callable[[Asked], Awaitable[Response]]


def get(path: str, asked: type[Asked], answer: Reply[Asked]) -> Route:
    """A call whose demands stand in the address."""

    async def endpoint(request: Request) -> Response:
        return await _replied(answer, _of_address(request, asked))

    return Route(path, endpoint, methods=["GET"])


def post(path: str, asked: type[Asked], answer: Reply[Asked], method: str = "POST") -> Route:
    """A call whose demands are a JSON object; no body is an empty one."""

    async def endpoint(request: Request) -> Response:
        return await _replied(answer, _of_body(await request.body(), asked))

    return Route(path, endpoint, methods=[method])


async def _replied(answer: Reply[Asked], asked: Asked) -> Response:
    if inspect.iscoroutinefunction(answer):
        reply: Response = await answer(asked)
        return reply
    return await run_in_threadpool(answer, asked)  # type: ignore[arg-type]


def _of_address(request: Request, asked: type[Asked]) -> Asked:
    """BadRequestError for what is repeated, missing or of the wrong kind."""
    # Starlette replaces what is not UTF-8; paths need their very bytes.
    pairs = parse_qsl(
        request.scope["query_string"].decode("ascii", "replace"), errors="surrogateescape"
    )
    given = dict(pairs)
    if len(given) < len(pairs):
        raise BadRequestError("The request can't be understood.", "Each name is said once.")
    return _checked(given, asked, strict=False)


def _of_body(body: bytes, asked: type[Asked]) -> Asked:
    try:
        # Not msgspec's own reader: names that are not UTF-8 come as escaped surrogates.
        given = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadRequestError("The request is no JSON.", f"{why}."[:200]) from None
    return _checked(given, asked, strict=True)


def _checked(given: object, asked: type[Asked], *, strict: bool) -> Asked:
    try:
        return msgspec.convert(given, asked, strict=strict)
    except msgspec.ValidationError as error:
        # Where and what, never the value: it may be long, or nobody's business in a log.
        raise BadRequestError("The request can't be understood.", f"{error}."[:1000]) from None


def checked_filters(given: dict[str, Any] | None) -> Filters | None:
    """Chips as JSON has them; InklingError if a name or a value is wrong."""
    if given is None:
        return None
    if not given.keys() <= Filters.__dataclass_fields__.keys():
        known = ", ".join(Filters.__dataclass_fields__)
        raise InklingError("There is a filter that Inkling does not know.", hint=known)
    try:
        filters = codec.from_data(given, Filters)
    except (ValueError, RecursionError) as error:
        raise InklingError("A filter has a wrong value: {error}.", told={"error": error}) from error
    if any(option.any_of for options in filters.any_of for option in options):
        raise InklingError(
            "A choice, any_of, can't stand inside of another.", hint="Spell the choices out."
        )
    return filters


def checked_path(value: str) -> str:
    """An absolute path, bytes that are not UTF-8 as surrogate escapes; ValueError if it is none."""
    if not os.path.isabs(value) or "\0" in value or len(value) > _MAX_PATH:
        raise ValueError("an absolute path is expected")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise ValueError("the path is not a name on this system") from None
    return value


def checked_text(value: str) -> str:
    """A query; what is no character becomes a replacement character. ValueError if too long."""
    if len(value) > MAX_QUERY:
        raise ValueError(f"a text of at most {MAX_QUERY} characters is expected")
    return value.encode("utf-8", "replace").decode("utf-8")


def as_json(value: Any) -> Response:
    """Not JSONResponse: names that are not UTF-8 travel as escaped surrogates."""
    return Response(json.dumps(value), media_type="application/json")


def as_value(value: object) -> Response:
    """A value of ours, as the codec writes it."""
    return Response(codec.encode(value), media_type="application/json")


def as_error(status: int, message: str, hint: str = "", path: str | None = None) -> Response:
    """An error in the one form all have."""
    return _error(status, {"message": message, "hint": hint, "path": path})


def of_error(status: int, error: InklingError) -> Response:
    """An error of ours, with what it was filled from: faces may word it in other languages."""
    return _error(status, error.as_data())


def _error(status: int, told: dict[str, Any]) -> Response:
    return Response(json.dumps({"error": told}), status, media_type="application/json")
