"""Object stores on loopback for tests: moto's, which is a good one, behind a door that can be made
to behave like bad ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

#: What a bad store does with a request, given what a good one would do.
Bad = Callable[[Request, Callable[[], Response]], Response]
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class _Handler(WSGIRequestHandler):
    """Says the date that it is told to."""

    date = ""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.date or super().date_time_string(timestamp)  # type: ignore[arg-type]

    def log(self, *_: Any) -> None:
        """Nothing."""


class Store:
    """One that runs; `bad` makes it a bad one."""

    def __init__(self) -> None:
        self.bad: Bad | None = None
        self.requests = 0
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, True, request_handler=_Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start: Any) -> Any:
        self.requests += 1
        request = Request(environ)
        if self.bad is None or "/moto-api/" in request.path:
            return self._app(environ, start)

        def good() -> Response:
            return Response.from_app(self._app, environ)

        return self.bad(request, good)(environ, start)

    def bucket(self, name: str) -> None:
        """Make a bucket."""
        import boto3

        boto3.client("s3", endpoint_url=self.url, region_name="us-east-1").create_bucket(
            Bucket=name
        )

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def running() -> Iterator[Store]:
    """A store, for as long as it is wanted."""
    store = Store()
    try:
        yield store
    finally:
        store.close()


def refusing(status: int, code: str, methods: tuple[str, ...] = ("PUT", "POST", "GET")) -> Bad:
    """A store that answers with an error."""

    def answer(request: Request, good: Callable[[], Response]) -> Response:
        if request.method not in methods:
            return good()
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>"
        return Response(body, status, content_type="application/xml")

    return answer


def accepting_second_writes(request: Request, good: Callable[[], Response]) -> Response:
    """As rclone's does."""
    request.environ.pop("HTTP_IF_NONE_MATCH", None)
    return good()


def ignoring_ranges(request: Request, good: Callable[[], Response]) -> Response:
    """Gives the whole for a part."""
    request.environ.pop("HTTP_RANGE", None)
    return good()


def forgetting_to_list(request: Request, good: Callable[[], Response]) -> Response:
    """Lists what was there a while ago."""
    answer = good()
    if "list-type" in request.args:
        answer.set_data(answer.get_data().replace(b"<Key>", b"<Key>old-"))
    return answer
