"""A server with OpenAI's API (vLLM and others) as the encoder of a model with single vectors.

It can't say which weights it has. So nothing of it is used before it has shown that it gives what
is stored: texts of the space are encoded anew and compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from engine.contract.types import Encoding
from engine.encoders.elsewhere import AwayError, Job, Made, Samples, UnfitError, checked
from engine.encoders.prompts import PROMPTS, Prompts
from engine.models.registry import ModelSpec
from indexer.asking.addresses import Address
from indexer.encoder_service.ways import Way

if TYPE_CHECKING:
    from indexer.asking.client import Client

#: Stored texts that are compared, the fewest that prove anything, and the cosine from which two are
#: one: another precision of the same weights is above it, other weights are far below.
SAMPLES, LEAST_SAMPLES, SAME = 16, 4, 0.99
_MODELS_S = 10.0
_T = TypeVar("_T")


class EmbeddingsServer:
    """Thread-safe, over the official client library. AwayError says what stands against it."""

    def __init__(self, address: Address, key: str, model: str, *, local: bool) -> None:
        if not local and address.scheme != "https":
            raise AwayError(
                "Nothing is sent to {host} unencrypted.",
                hint="Name it by https://.",
                told={"host": address.host},
            )
        self._address, self._key, self._model, self._local = address, key, model, local

    def about(self) -> dict[str, Any]:
        """The models that are served there, if the wanted one is among them."""

        async def listed(client: Client) -> list[str]:
            return [one.id async for one in client.models.list()]

        models = self._run(listed, _MODELS_S)
        if self._model not in models:
            raise AwayError(
                "The server at {host} has no model {model}; it lists {models}.",
                hint="Name one of them with --model.",
                told={
                    "host": self._address.host,
                    "model": self._model,
                    "models": ", ".join(models[:5]) or "none",
                },
            )
        return {"service": "openai", "model": self._model}

    def encode(self, job: Job, spec: ModelSpec) -> Made:
        """What was made there, cut to the size that is stored."""
        prompts = PROMPTS.get(spec.id)
        if spec.token_dim or prompts is None or job.op in ("images", "chunks"):
            raise _unfit(spec, job)
        texts = _texts(job, prompts)

        async def embed(client: Client) -> list[list[float]]:
            answer = await client.embeddings.create(
                model=self._model, input=texts, encoding_format="float"
            )
            rows = sorted(answer.data, key=lambda row: row.index)
            return [list(row.embedding) for row in rows]

        rows = self._run(embed, job.deadline_s)
        try:
            made = Made([_encoding(row, spec) for row in rows])
        except (TypeError, ValueError) as error:
            raise self._away("failed") from error
        return checked(made, job, spec)

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _run(self, ask: Any, seconds: float) -> Any:
        """One request in a loop of its own: the client is asynchronous, and who asks is not."""
        import httpx2
        import openai

        from indexer.asking.client import connect

        async def once() -> Any:
            client = connect(self._address, self._key, local=self._local)
            try:
                async with asyncio.timeout(seconds):
                    return await ask(client)
            finally:
                await client.close()

        try:
            return _in_a_loop(once())
        except TimeoutError as error:
            raise self._away("takes too long") from error
        except (openai.OpenAIError, httpx2.HTTPError, OSError, ValueError) as error:
            raise self._away("can't be used, or can't be reached") from error

    def _away(self, how: str) -> AwayError:
        return AwayError(
            "The server with embeddings at {host} {how}.",
            told={"host": self._address.host, "how": how},
        )


def _in_a_loop(work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(work)


def _texts(job: Job, prompts: Prompts) -> list[str]:
    """As the model reads them; what is no text of UTF-8 is a sign that says so."""
    if job.op == "queries":
        told = [prompts.question(text) for text in job.items]
    else:
        told = [prompts.passage(text, context) for text, context in job.items]
    return [text.encode("utf-8", "replace").decode("utf-8") for text in told]


def _encoding(row: list[float], spec: ModelSpec) -> Encoding:
    whole = np.asarray(row, np.float32)
    if whole.ndim != 1 or len(whole) < spec.dim:
        raise ValueError("a vector of another size")
    cut = whole[: spec.dim]
    length = float(np.linalg.norm(cut))
    if not length > 0:  # of NaN neither
        raise ValueError("no direction")
    return Encoding(cut / np.float32(length), np.zeros((0, 0), np.float32))


def _unfit(spec: ModelSpec, job: Job) -> UnfitError:
    return UnfitError(
        "A server with OpenAI's API can't encode {what} for {title}.",
        hint="`inkling serve --encoder` on that machine can.",
        told={"what": "pictures" if job.op == "images" else "texts", "title": spec.title},
    )


def prove(way: Way, spec: ModelSpec, samples: Samples) -> None:
    """AwayError unless stored texts, encoded there, are what is stored."""
    stored = samples(SAMPLES)
    if len(stored) < LEAST_SAMPLES:
        raise AwayError(
            "The index holds too few texts yet to tell whether that server has {title}.",
            hint="The first are encoded on this machine; then it is asked.",
            told={"title": spec.title},
        )
    job = Job("texts", spec.adapters[0], [[text.text, text.context] for text, _ in stored])
    made = way.encode(job, spec).encodings
    cosines = [
        float(one.single @ vector / max(float(np.linalg.norm(vector)), 1e-9))
        for one, (_, vector) in zip(made, stored, strict=True)
        if one is not None
    ]
    if min(cosines, default=0.0) < SAME:
        raise AwayError(
            "The model of that server is not {title}: what it makes of stored texts is as like as "
            "{cosine} to what is stored, not 0.99.",
            hint="Serve the same weights, and with the same instructions, or encode here.",
            told={"title": spec.title, "cosine": f"{min(cosines, default=0.0):.3f}"},
        )
