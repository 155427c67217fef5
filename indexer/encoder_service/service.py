"""The service: one model of this machine, for indexers of others. Nothing of what it reads is kept
or logged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.contract.errors import InklingError
from engine.contract.types import TextInput
from engine.contract.version import VERSION
from engine.encoders.elsewhere import Job, Made
from engine.encoders.pool import EncoderPool
from engine.encoders.requests import InputsFailedError
from engine.models.served import sizes_of
from indexer.encoder_service import wire
from indexer.encoder_service.turns import FullError, Turns

log = logging.getLogger(__name__)

SERVICE = "inkling-encoder"
#: Seconds for a body to come, and for its turn: a client has given up by then.
BODY_S, TURN_S = 60.0, 300.0
#: Passages in work: one is encoded, one waits in the worker. Of one client in the queue.
_AT_ONCE, _MOST_WAITING = 2, 8
#: Inputs that a person may wait for: more are passages.
_MOST_URGENT = 64
#: Seconds after which a client may ask again.
_AGAIN_S = 5


class EncoderService:
    """Answers about the model and encodes with it; for one event loop."""

    def __init__(
        self,
        pool: EncoderPool,
        who: Callable[[str], str],
        scratch: Path,
        *,
        body_s: float = BODY_S,
        turn_s: float = TURN_S,
    ) -> None:
        """`who`: whose a token is, "" of nobody; `scratch`: where pictures lie while they are
        seen."""
        self._pool, self._who, self._scratch = pool, who, scratch
        self._body_s, self._turn_s = body_s, turn_s
        self._turns = Turns(_AT_ONCE, _MOST_WAITING)
        self.encoded = 0
        self.app = Starlette(
            routes=[
                Route("/v1/about", self._about),
                Route("/v1/encode", self._encode, methods=["POST"]),
            ],
            exception_handlers={Exception: _broken},
        )

    def about(self) -> dict[str, Any]:
        """What is served, by which the same model is known elsewhere."""
        spec, pool = self._pool.spec, self._pool
        return {
            "service": SERVICE,
            "version": VERSION,
            "model": spec.id,
            "title": spec.title,
            "space": spec.space,
            **sizes_of(spec),
            "modalities": sorted(spec.modalities),
            "device": "card" if pool.fast and spec.libraries else "processor",
            "notes": list(pool.notes),
            "state": pool.state,
            "waiting": self._turns.waiting,
            "encoded": self.encoded,
        }

    def _client(self, request: Request) -> str:
        """Who asks, from which machine: they take turns. "" of nobody."""
        given = request.headers.get("authorization", "")
        name = self._who(given.removeprefix("Bearer ")) if given.startswith("Bearer ") else ""
        host = request.client.host if request.client else ""
        return f"{name}\n{host}" if name else ""

    async def _about(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        return JSONResponse(self.about())

    def _refusal(self, request: Request) -> Response | None:
        if not self._client(request):
            return said(
                401, "The token is missing or wrong.", "The service showed it at its first start."
            )
        if request.headers.get("origin") is not None:
            return said(403, "Web pages are not answered.")
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > wire.MOST_BODY:
            return said(413, "The request is too long.", f"At most {wire.MOST_BODY} bytes.")
        return None

    async def _encode(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            async with asyncio.timeout(self._body_s):
                body = await _body(request)
        except TimeoutError:
            return said(408, "The request did not come to its end.")
        except ClientDisconnect:
            return Response(status_code=204)
        if body is None:
            return said(413, "The request is too long.", f"At most {wire.MOST_BODY} bytes.")
        try:
            asked = await run_in_threadpool(wire.read_asked, body)
            job = asked.job()
        except ValueError as error:
            return said(422, f"The request can't be understood: {error}.")
        if asked.space != self._pool.spec.space:
            told = {"space": self._pool.spec.space, "model": self._pool.spec.id}
            return said(409, f"Another model is served here: {self._pool.spec.title}.", **told)
        return await self._while_wanted(request, self._answer(self._client(request), job))

    async def _while_wanted(self, request: Request, work: Any) -> Response:
        """The answer, unless whoever asked is gone before: then it is not waited for any more."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()  # type: ignore[no-any-return]
            return Response(status_code=204)  # nobody reads it
        finally:
            for one in (task, gone):
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await one

    async def _answer(self, client: str, job: Job) -> Response:
        try:
            async with asyncio.timeout(self._turn_s) as waiting:
                async with self._turns.turn(
                    client, urgent=job.urgent and job.results <= _MOST_URGENT
                ):
                    waiting.reschedule(None)  # what is begun is ended
                    made = await run_in_threadpool(self._made, job)
        except FullError:
            return _later(429, "Too many requests of yours are waiting.")
        except TimeoutError:
            return _later(503, "Others are being served.")
        except InputsFailedError as error:
            made = Made(list(error.encodings), dict(error.failed))
        except InklingError as error:  # the model can't be had at all
            return _later(503, error.message, error.hint)
        if self._pool.state == "failed":
            why = next(iter(made.failed.values()), InklingError("The model can't be loaded."))
            return _later(503, why.message, why.hint)
        self.encoded += sum(one is not None for one in made.encodings)
        told = Made(made.encodings, made.failed, self._pool.fast, tuple(self._pool.notes))
        packed = await run_in_threadpool(wire.answer, told, self._pool.spec.space)
        return Response(packed, media_type=wire.TYPE)

    def _made(self, job: Job) -> Made:
        pool, items = self._pool, job.items
        match job.op:
            case "queries":
                return Made(list(pool.encode_queries(items, job.adapter)))
            case "texts":
                texts = [TextInput(text, context) for text, context in items]
                return Made(list(pool.encode_texts(texts, job.adapter, urgent=job.urgent)))
            case "chunks":
                text, spans, context = items
                pairs = [(start, end) for start, end in spans]
                return Made(list(pool.encode_chunks(text, pairs, context, job.adapter)))
            case "images":
                return self._seen(job)

    def _seen(self, job: Job) -> Made:
        """Pictures lie in a folder of their own while they are looked at."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            paths = []
            for number, picture in enumerate(job.items):
                ends = (e for start, e in wire.PICTURES.items() if picture.startswith(start))
                path = Path(folder, f"{number}{next(ends, '.none')}")
                path.write_bytes(picture if path.suffix != ".none" else b"")
                paths.append(str(path))
            try:
                return Made(list(self._pool.encode_images(paths, job.adapter, urgent=job.urgent)))
            except InputsFailedError as error:
                wrong = {place: _of_picture(each) for place, each in error.failed.items()}
                return Made(list(error.encodings), wrong)


def _of_picture(error: InklingError) -> InklingError:
    """Without the name it had here, which says nothing elsewhere."""
    return InklingError("The picture could not be seen.") if error.told else error


async def _body(request: Request) -> bytes | None:
    """All of it; None where it is too long, whatever its head said."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > wire.MOST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def said(status: int, message: str, hint: str = "", **told: Any) -> JSONResponse:
    """Why a request is not answered."""
    return JSONResponse({"error": {"message": message, "hint": hint}, **told}, status)


def _later(status: int, message: str, hint: str = "") -> JSONResponse:
    answer = said(status, message, hint)
    answer.headers["Retry-After"] = str(_AGAIN_S)
    return answer


def _broken(_: Request, error: Exception) -> Response:
    log.error("a request failed: %s", type(error).__name__)
    return said(500, "Something went wrong in the encoder service.", "See its log.")
