"""The way to an encoder service: one address, by TLS unless it is this machine, nowhere else."""

from __future__ import annotations

import json
import logging
import ssl
import time
from typing import Any

import httpx2

from engine.contract.errors import InklingError
from engine.encoders.elsewhere import AwayError, Job, Made, checked
from engine.models.registry import ModelSpec
from indexer.asking.addresses import Address, here
from indexer.encoder_service import wire
from indexer.encoder_service.ways import LaterError

log = logging.getLogger(__name__)

#: Seconds for a connection and for what it says of itself; bytes of what it says.
CONNECT_S, ABOUT_S = 3.0, 10.0
_MOST_SAID = 100_000
#: Seconds for which a connection is used again: well before the service closes it.
_IDLE_S = 20.0
#: Seconds that a service may ask to be left alone for.
_MOST_LATER_S = 60.0


class EncoderClient:
    """Thread-safe. AwayError says what stands against it."""

    def __init__(self, address: Address, token: str, authority: str, *, local: bool) -> None:
        """`authority`: certificates in PEM format that are trusted here, "" for the system's."""
        if not local and address.scheme != "https":
            raise AwayError(
                "Nothing is sent to {host} unencrypted.",
                hint="Name it by https://, and start the service there with --cert and --key.",
                told={"host": address.host},
            )
        self._address, self._token, self._local = address, token, local
        verify = _context(authority) if address.scheme == "https" else False
        limits = httpx2.Limits(keepalive_expiry=_IDLE_S)
        transport = httpx2.HTTPTransport(verify=verify, trust_env=False, limits=limits)
        self._http = httpx2.Client(transport=transport, trust_env=False, follow_redirects=False)

    def about(self) -> dict[str, Any]:
        """What is served there."""
        status, body, _ = self._ask("GET", "/v1/about", None, ABOUT_S, _MOST_SAID)
        try:
            told = json.loads(body)
            if status == 200 and told["service"] == "inkling-encoder":
                return dict(told)
        except (ValueError, TypeError, KeyError):
            pass
        if status == 401:
            raise self._refused()
        raise AwayError(
            "At {host} no encoder of Inkling answers.",
            hint="Start one there with `inkling serve --encoder`; a server with OpenAI's API is "
            "named with --model.",
            told={"host": self._address.host},
        )

    def encode(self, job: Job, spec: ModelSpec) -> Made:
        """What was made there, all of it checked."""
        asked = wire.asked(job, spec.space)
        if len(asked) > wire.MOST_BODY:
            error = InklingError("It is too large to be sent to another machine.")
            return Made([None] * job.results, dict.fromkeys(range(job.results), error))
        most = wire.most_bytes(job, spec)
        status, body, again = self._ask("POST", "/v1/encode", asked, job.deadline_s, most)
        if status != 200:
            raise self._failed(status, body, again)
        try:
            space, made = wire.read_answer(body, most)
        except ValueError as error:
            raise self._nonsense(error) from error
        if space != spec.space:
            raise self._nonsense("vectors of another model")
        return checked(made, job, spec)

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()

    def _ask(
        self, method: str, path: str, body: bytes | None, seconds: float, most: int
    ) -> tuple[int, bytes, str]:
        """Status, body and when to ask again, within so many seconds and bytes."""
        until = time.monotonic() + seconds
        headers = {"authorization": f"Bearer {self._token}", "content-type": wire.TYPE}
        headers |= {"host": self._address.origin.partition("://")[2], "accept-encoding": "identity"}
        extensions: dict[str, Any] = {"sni_hostname": self._address.host}
        timeout = httpx2.Timeout(seconds, connect=min(CONNECT_S, seconds))
        request = self._http.build_request(
            method, self._url(path), content=body, headers=headers, timeout=timeout
        )
        request.extensions.update(extensions)
        parts, size = [], 0
        try:
            response = self._http.send(request, stream=True)
            try:
                for part in response.iter_raw():
                    size += len(part)
                    parts.append(part)
                    if size > most:
                        raise self._nonsense("it does not end")
                    if time.monotonic() > until:
                        raise httpx2.ReadTimeout("it drips")
            finally:
                response.close()
        except (httpx2.HTTPError, httpx2.StreamError, OSError, RuntimeError) as error:
            log.info("the encoder service: %s: %s", type(error).__name__, error)
            raise self._away(error) from error
        return response.status_code, b"".join(parts), response.headers.get("retry-after", "")

    def _url(self, path: str) -> httpx2.URL:
        """By its number where it is this machine, so that no name leads elsewhere."""
        url = httpx2.URL(self._address.origin + path)
        if not self._local:
            return url
        numbers = here(self._address)
        if not numbers:
            raise AwayError(
                "{host} stands for another machine by now.", told={"host": self._address.host}
            )
        return url.copy_with(host=numbers[0])

    # What is said of failures

    def _away(self, error: Exception) -> AwayError:
        host = {"host": self._address.host}
        if "CERTIFICATE_VERIFY_FAILED" in str(error) or isinstance(error, ssl.CertificateError):
            return AwayError(
                "The certificate of {host} does not hold.",
                hint="It must be for that name; one of your own is trusted by `inkling encoder use "
                "URL --ca FILE`.",
                told=host,
            )
        if isinstance(error, httpx2.TimeoutException):
            return AwayError("The encoder at {host} takes too long.", told=host)
        return AwayError("The encoder at {host} can't be reached.", told=host)

    def _refused(self) -> AwayError:
        return AwayError(
            "The encoder at {host} does not accept the token.",
            hint="`inkling encoder use URL --token-file FILE` names another.",
            told={"host": self._address.host},
        )

    def _nonsense(self, what: object) -> AwayError:
        return AwayError(
            "What the encoder at {host} answered can't be right: {what}.",
            hint="Run the same version of Inkling there.",
            told={"host": self._address.host, "what": what},
        )

    def _failed(self, status: int, body: bytes, again: str) -> AwayError:
        host = self._address.host
        if status in (401, 403):
            return self._refused()
        if status == 409:
            return other_model(host)
        if status in (429, 503):
            after = min(float(again), _MOST_LATER_S) if again.isdigit() else 5.0
            return LaterError(
                "The encoder at {host} is busy, or still loads its model.",
                told={"host": host},
                after_s=after,
            )
        return AwayError(
            "The encoder at {host} failed ({status}).", told={"host": host, "status": status}
        )


def other_model(host: str) -> AwayError:
    """It does not serve the model that is needed, in this revision and size."""
    return AwayError(
        "The encoder at {host} serves another model, or other weights of it.",
        hint="Start it there with --model, or use the model that it serves.",
        told={"host": host},
    )


def _context(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority or None)
    except ssl.SSLError as error:
        raise AwayError(
            "The kept certificate of the encoder can't be read.",
            hint="`inkling encoder use URL --ca FILE` takes one in PEM format.",
        ) from error
