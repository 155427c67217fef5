"""What the routes share: checked paths, answers in plain JSON, errors in one form."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Body, Depends, Request, Response
from pydantic import PlainValidator

from engine.contract import codec

MAX_LIMIT = 500
MAX_QUERY = 10_000
#: PATH_MAX on Linux is 4,096 bytes.
_MAX_PATH = 8_192


def checked_path(value: object) -> str:
    """An absolute path; bytes that are not UTF-8 as surrogate escapes, which pydantic refuses."""
    if not isinstance(value, str):
        raise ValueError("a path is a text")
    if not os.path.isabs(value) or "\0" in value or len(value) > _MAX_PATH:
        raise ValueError("an absolute path is expected")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise ValueError("the path is not a name on this system") from None
    return value


def checked_text(value: object) -> str:
    """A query; what is no character becomes a replacement character."""
    if not isinstance(value, str) or len(value) > MAX_QUERY:
        raise ValueError(f"a text of at most {MAX_QUERY} characters is expected")
    return value.encode("utf-8", "replace").decode("utf-8")


def asked_path(request: Request) -> str:
    """`path` of the query string, byte for byte: Starlette replaces what is not UTF-8."""
    pairs = parse_qsl(
        request.scope["query_string"].decode("ascii", "replace"), errors="surrogateescape"
    )
    paths = [value for key, value in pairs if key == "path"]
    if len(paths) != 1:
        raise BadRequestError("One path is expected.", "Add ?path=… to the address.")
    try:
        return checked_path(paths[0])
    except ValueError as error:
        raise BadRequestError(f"The path can't be: {error}.", "Give an absolute path.") from None


class BadRequestError(Exception):
    """A request that is not well formed."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


FilePath = Annotated[str, PlainValidator(checked_path)]
FilePaths = Annotated[list[FilePath], Body(embed=True, max_length=1000)]
QueryText = Annotated[str, PlainValidator(checked_text)]
AskedPath = Annotated[str, Depends(asked_path)]


def as_json(value: Any) -> Response:
    """Not JSONResponse: names that are not UTF-8 travel as escaped surrogates."""
    return Response(json.dumps(value), media_type="application/json")


def as_value(value: object) -> Response:
    """A value of ours, as the codec writes it."""
    return Response(codec.encode(value), media_type="application/json")


def as_error(status: int, message: str, hint: str = "", path: str | None = None) -> Response:
    """An error in the one form all have."""
    body = json.dumps({"error": {"message": message, "hint": hint, "path": path}})
    return Response(body, status, media_type="application/json")
