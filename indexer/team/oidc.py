"""Accounts of an OpenID Connect provider: bearer tokens that it has signed for this service."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from engine.contract.errors import InklingError
from indexer.team.accounts import NoAccountError
from indexer.team.asker import Account, principals_of

log = logging.getLogger(__name__)

#: A provider changes its keys now and then, and gives notice by a key that is not known yet.
_FRESH_S, _AGAIN_S = 3_600.0, 30.0
_TIMEOUT_S = 10.0
_LARGEST = 1_000_000
#: Signatures by a key that only the provider has; none by a secret that is shared.
_ALGORITHMS = ("RS256", "ES256")
#: What clocks may differ by without a word.
LEEWAY_S = 30.0
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Provider:
    """Who signs tokens, for whom, and which of their claims are name and groups."""

    issuer: str
    audience: str
    jwks: str = ""  # a file or https address of its keys; "" as its discovery document says
    user_claim: str = "preferred_username"
    groups_claim: str = "groups"

    def __post_init__(self) -> None:
        if not self.audience:
            raise InklingError(
                "Tokens of {issuer} need an audience: what they are made for.",
                hint="Give --audience, the client id of this service at the provider.",
                told={"issuer": self.issuer},
            )


class OidcAccounts:
    """Knows whose a JWT is; for any thread."""

    def __init__(self, provider: Provider, clock: Callable[[], float] = time.time) -> None:
        self._provider, self._clock = provider, clock
        self._keys = _Keys(provider)

    def of(self, token: str) -> Account | None:
        """The account; None where this is no token of the provider."""
        try:
            header = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options={"verify_signature": False})
        except (jwt.InvalidTokenError, ValueError):
            return None
        if claimed.get("iss") != self._provider.issuer:
            return None
        try:
            return self._account(self._verified(token, header))
        except jwt.PyJWTError as error:
            raise self._refused(error, claimed) from error

    def problem(self) -> str:
        """Why the provider's keys are not known, or old."""
        return self._keys.problem

    def _verified(self, token: str, header: Mapping[str, Any]) -> Mapping[str, Any]:
        algorithm = header.get("alg")
        if algorithm not in _ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"signed by {algorithm}")
        told: Mapping[str, Any] = jwt.decode(
            token,
            self._keys.of(header.get("kid"), algorithm),
            algorithms=list(_ALGORITHMS),
            audience=self._provider.audience,
            issuer=self._provider.issuer,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iss", "aud"]},
        )
        return told

    def _account(self, claims: Mapping[str, Any]) -> Account:
        name = claims.get(self._provider.user_claim)
        if not isinstance(name, str) or not name:
            raise NoAccountError(
                "The token says nothing of “{claim}”, the account's name.",
                hint="Have the provider put it into its tokens, or name another claim.",
                told={"claim": self._provider.user_claim},
            )
        groups = claims.get(self._provider.groups_claim, [])
        groups = [groups] if isinstance(groups, str) else groups
        known = [g for g in groups if isinstance(g, str) and g] if isinstance(groups, list) else []
        return Account(name, principals_of(name, known))

    def _refused(self, error: Exception, claims: Mapping[str, Any]) -> NoAccountError:
        """Why, in a sentence: what a person can do about it differs."""
        now = self._clock()
        if isinstance(error, jwt.ExpiredSignatureError):
            return NoAccountError(
                "The token has expired {ago} ago.",
                hint="Log in again. Where that was just done, compare the clocks of both machines.",
                told={"ago": _spoken(now - _time(claims.get("exp"), now))},
            )
        if isinstance(error, jwt.ImmatureSignatureError):
            begins = max(_time(claims.get("nbf"), now), _time(claims.get("iat"), now))
            return NoAccountError(
                "The token begins to hold in {ahead}: the clocks of provider and service differ.",
                hint="Set this machine's clock by a time server.",
                told={"ahead": _spoken(begins - now)},
            )
        if isinstance(error, jwt.InvalidAudienceError):
            return NoAccountError(
                "The token was made for another service.",
                hint="Log in to this one; its audience is {audience}.",
                told={"audience": self._provider.audience},
            )
        if isinstance(error, jwt.MissingRequiredClaimError):
            return NoAccountError(
                "The token lacks “{claim}”.",
                hint="Have the provider put it into its tokens.",
                told={"claim": error.claim},
            )
        return NoAccountError("The token is not signed as it should be.", hint="Log in again.")


class _Keys:
    """The provider's public keys, by their ids."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = threading.Lock()
        self._keys: list[jwt.PyJWK] = []
        self._read_at = self._tried_at = float("-inf")
        self.problem = ""

    def of(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """InvalidKeyError where the provider has no such key, InklingError where it can't be
        asked and nothing is known of it."""
        with self._lock:
            now = time.monotonic()
            found = self._found(kid, algorithm)
            wanted = found is None or now - self._read_at > _FRESH_S
            if wanted and now - self._tried_at > _AGAIN_S:
                self._tried_at = now
                self._refresh(now)
                found = self._found(kid, algorithm)
            if found is None and not self._keys:
                raise InklingError(self.problem, hint="Try again in a minute.")
        if found is None:
            raise jwt.InvalidKeyError("no such key")
        return found

    def _found(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [key for key in self._keys if key.algorithm_name == algorithm]
        if kid is None:  # only where there is nothing to choose
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.key_id == kid), None)

    def _refresh(self, now: float) -> None:
        try:
            place = self._provider.jwks or self._discovered()
            told = _object(_fetched(place), place)
            self._keys = list(_signing(told.get("keys", ())))
            self._read_at, self.problem = now, ""
        except InklingError as error:
            if error.message != self.problem:
                log.error("%s", error)
            self.problem = error.message

    def _discovered(self) -> str:
        address = self._provider.issuer.rstrip("/") + _DISCOVERY
        told = _object(_fetched(address), address)
        if told.get("issuer") != self._provider.issuer or not isinstance(told.get("jwks_uri"), str):
            raise InklingError(
                "What {address} says is not of the issuer {issuer}.",
                hint="Give the issuer just as the provider spells it.",
                told={"address": address, "issuer": self._provider.issuer},
            )
        return str(told["jwks_uri"])


def _signing(told: Any) -> Any:
    for row in told if isinstance(told, list) else ():
        if not isinstance(row, dict) or row.get("use", "sig") != "sig":
            continue
        # A key without "alg" is for what its kind is used for here.
        usual = {"RSA": "RS256", "EC": "ES256"}.get(str(row.get("kty")))
        algorithm = row.get("alg", usual)
        if algorithm not in _ALGORITHMS:
            continue
        try:
            yield jwt.PyJWK(row, algorithm)
        except jwt.PyJWTError as error:
            log.warning("A key of the provider can't be used: %s", error)


def _object(text: bytes, place: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise InklingError(
            "{place} holds no keys of an OpenID Connect provider.",
            hint="Check the address.",
            told={"place": place},
        )
    return told


def _fetched(place: str) -> bytes:
    """A file, or what an https address answers."""
    scheme = urlsplit(place).scheme
    try:
        if scheme == "https":
            opener = urllib.request.build_opener(_NoWayOut)
            with opener.open(place, timeout=_TIMEOUT_S) as answer:
                return bytes(answer.read(_LARGEST))
        if "://" not in place:
            return Path(place).expanduser().read_bytes()
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise InklingError(
            "The keys of the accounts' provider can't be read from {place}: {error}.",
            hint="Check the address, and whether this machine reaches it.",
            told={"place": place, "error": why},
        ) from error
    raise InklingError(
        "Keys are read over https or from a file, not from {place}.",
        hint="Give an https address.",
        told={"place": place},
    )


class _NoWayOut(urllib.request.HTTPRedirectHandler):
    """Keys come from where they were said to be, over https alone."""

    def redirect_request(self, *given: Any) -> urllib.request.Request | None:
        if urlsplit(given[-1]).scheme != "https":
            raise urllib.error.URLError("it leads away from https")
        return super().redirect_request(*given)


def _time(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def _spoken(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 120 else f"{whole // 60} min"
