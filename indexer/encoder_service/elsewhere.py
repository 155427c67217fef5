"""The encoder that a person named: whether it may be gone to, how it goes, and when it is left
alone for a while."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.put import put_privately
from engine.contract.settings import Settings
from engine.encoders.elsewhere import AwayError, Job, Made, Samples, UnfitError
from engine.models.registry import ModelSpec
from indexer.asking.addresses import Address, here, read_address
from indexer.asking.policy import read_policy
from indexer.encoder_service.ways import LaterError, Way

#: Seconds after a failure; twice as many after each that follows, up to the last.
PAUSES_S = (5.0, 300.0)
#: Seconds for which it holds where an address leads and what policy says.
_HOLDS_S = 2.0


class Kept:
    """Token and certificates of one address, for the person's eyes alone."""

    def __init__(self, base: BaseDir) -> None:
        self._path = base.encoder / "access.json"

    def of(self, address: Address) -> tuple[str, str]:
        """Token and certificates; none for any other address than the one they are of."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            if told["address"] == address.origin:
                return str(told["token"]), str(told["authority"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return "", ""

    def keep(self, address: Address, token: str, authority: str) -> None:
        """In place of those of another. InklingError where they can't be kept."""
        told = {"address": address.origin, "token": token, "authority": authority}
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            put_privately(json.dumps(told).encode(), self._path)
        except OSError as error:
            raise InklingError(
                "The token can't be kept: {error}.",
                hint="Free some space or fix the folder's permissions.",
                path=str(self._path),
                told={"error": error.strerror or error},
            ) from error

    def forget(self) -> None:
        """They are not needed any more."""
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Named:
    """What the settings name, looked at a moment ago."""

    address: Address | None = None
    model: str = ""  # of a server with OpenAI's API
    local: bool = True
    error: InklingError | None = None  # why it may not be used
    to_confirm: str = ""  # the host that the person has to type first


class Encoders:
    """What the settings name, and the way there. From any thread."""

    def __init__(
        self,
        base: BaseDir,
        settings: Settings,
        *,
        environment: Mapping[str, str] = os.environ,
        pauses_s: tuple[float, float] = PAUSES_S,
    ) -> None:
        self.base, self._settings, self._environment = base, settings, environment
        self.kept = Kept(base)
        self.pauses_s = pauses_s
        self._lock = threading.Lock()
        self._looked = (0.0, ("", "", ""), Named())
        self._way: tuple[Named, tuple[str, str], Way] | None = None

    def of(self, spec: ModelSpec, samples: Samples) -> OfModel:
        """One model's encoder, wherever the settings say it is from time to time."""
        return OfModel(self, spec, samples)

    def named(self) -> Named:
        """What the settings name now, and whether it may be used."""
        settings = self._settings
        key = (settings.encoder_address, settings.encoder_model, settings.encoder_confirmed)
        with self._lock:
            at, before, named = self._looked
            if before != key or time.monotonic() - at > _HOLDS_S:
                named = self._look(*key)
                self._looked = (time.monotonic(), key, named)
            return named

    def _look(self, text: str, model: str, confirmed: str) -> Named:
        if not text.strip():
            return Named()
        try:
            address = read_address(text)
        except InklingError as error:
            return Named(error=error)
        local = bool(here(address))
        if local:
            return Named(address, model)
        try:
            self.check_policy(address)
        except InklingError as error:
            return Named(address, model, local=False, error=error)
        if confirmed != address.host:
            unsaid = InklingError(
                "{host} is another machine, and was not confirmed: nothing is sent there.",
                hint="`inkling encoder use URL`, or the page “Model”, has you type its name.",
                told={"host": address.host},
            )
            return Named(address, model, local=False, error=unsaid, to_confirm=address.host)
        return Named(address, model, local=False)

    def check_policy(self, address: Address) -> None:
        """InklingError where nothing may be encoded on that machine."""
        read_policy(self._environment).check_encoder(address.host)

    def way(self, named: Named) -> Way:
        """To what is named; AwayError where it may not be gone."""
        if named.address is None or named.error is not None:
            said = named.error or InklingError("No encoder is named.")
            raise AwayError(said.message, hint=said.hint)
        access = self.kept.of(named.address)
        with self._lock:
            if self._way is not None and self._way[:2] == (named, access):
                return self._way[2]
        way: Way
        if named.model:
            from indexer.encoder_service.embeddings import EmbeddingsServer

            way = EmbeddingsServer(named.address, access[0], named.model, local=named.local)
        else:
            from indexer.encoder_service.client import EncoderClient

            way = EncoderClient(named.address, *access, local=named.local)
        with self._lock:
            before, self._way = self._way, (named, access, way)
        if before is not None:
            before[2].close()  # what is on that way is done here
        return way

    def close(self) -> None:
        """Let go of its connections."""
        with self._lock:
            before, self._way = self._way, None
        if before is not None:
            before[2].close()


class OfModel:
    """The port `Elsewhere` of the engine: one model's encoder on another machine."""

    def __init__(self, encoders: Encoders, spec: ModelSpec, samples: Samples) -> None:
        self._encoders, self._spec, self._samples = encoders, spec, samples
        self._lock = threading.Lock()
        self._of: tuple[Named, tuple[str, str]] | None = None  # that what follows was found of
        self._error: AwayError | None = None
        self._held_until = self._pause = 0.0
        self._used = False
        self._proven = False  # that a server with OpenAI's API has this very model

    def ready(self) -> bool:
        """Whether it is worth asking now."""
        named = self._now()
        return (
            named.address is not None
            and named.error is None
            and time.monotonic() >= self._held_until
        )

    def _now(self) -> Named:
        """What is named; of another than before nothing is known."""
        named = self._encoders.named()
        access = self._encoders.kept.of(named.address) if named.address else ("", "")
        with self._lock:
            if self._of != (named, access):
                self._of, self._error = (named, access), None
                self._held_until = self._pause = 0.0
                self._used = self._proven = False
        return named

    def encode(self, job: Job) -> Made:
        """What was made there; AwayError where nothing was, and then it is left alone a while."""
        named = self._now()
        try:
            way = self._encoders.way(named)
            if named.model and not self._proven:
                from indexer.encoder_service.embeddings import prove

                prove(way, self._spec, self._samples)
                self._proven = True
            made = way.encode(job, self._spec)
        except UnfitError as error:
            with self._lock:
                self._error = error
            raise
        except AwayError as error:
            self._failed(error)
            raise
        with self._lock:
            self._error, self._pause, self._used = None, 0.0, True
        return made

    def _failed(self, error: AwayError) -> None:
        least, most = self._encoders.pauses_s
        with self._lock:
            if isinstance(error, LaterError):
                pause = error.after_s
            elif time.monotonic() < self._held_until:
                pause = self._pause  # of requests at once one counts
            else:
                pause = self._pause = min(max(2 * self._pause, least), most)
            self._error, self._used = error, False
            self._held_until = time.monotonic() + pause

    def why(self) -> InklingError:
        """Why it is not asked now."""
        named = self._now()
        nothing = InklingError("No encoder on another machine is named.")
        return named.error or self._error or nothing

    def told(self) -> dict[str, Any]:
        """For a person: where it is and how it goes."""
        named = self._now()
        error = named.error or self._error
        state = "none" if named.address is None and named.error is None else "ready"
        if error is not None:
            state = "unconfirmed" if named.to_confirm else "away"
        elif self._used:
            state = "used"
        wait = self._held_until - time.monotonic()
        return {
            "address": named.address.origin if named.address else "",
            "host": named.address.host if named.address else "",
            "local": named.local,
            "model": named.model,
            "state": state,
            "to_confirm": named.to_confirm,
            "error": None if error is None else error.as_data(),
            "again_s": round(max(wait, 0.0)) if self._error is not None else 0,
        }
