"""What goes wrong between Inkling and a server with a language model, as a person should read it.
Loads the client library."""

from __future__ import annotations

import re
import ssl

import httpx2
import openai

from engine.contract.errors import InklingError

#: Characters of what a server says itself; it may repeat all that it was sent.
_MOST_SAID = 200
_TOO_LONG = re.compile(r"context|too long|too many tokens|maximum.{0,20}length|n_ctx", re.I)
_PICTURES = re.compile(r"image|vision|multimodal|mmproj|content.{0,20}(type|part|string)", re.I)


def no_server(url: str) -> InklingError:
    """Nothing answers."""
    return InklingError(
        "No language model answers at {url}.",
        hint="Start its server; `inkling ask --servers` shows what is found here, or how to get "
        "one.",
        told={"url": url},
    )


def died(url: str) -> InklingError:
    """It was there a moment ago."""
    return InklingError(
        "The server at {url} stopped in the middle of the answer.",
        hint="It may have run out of memory. What stands here holds; ask again for the rest.",
        told={"url": url},
    )


def slow(url: str, seconds: float) -> InklingError:
    """It is there and says nothing."""
    return InklingError(
        "The server at {url} has said nothing for {seconds} seconds.",
        hint="A smaller model answers sooner. Look at what the server itself says.",
        told={"url": url, "seconds": round(seconds)},
    )


def silent(model: str) -> InklingError:
    """It is done and has said nothing that is an answer."""
    return InklingError(
        "The model {model} gave no answer.",
        hint="Models that think first may use up their room by that: give them more in the "
        "settings (“Room for question and answer”), or choose another.",
        told={"model": model},
    )


def readable(error: BaseException, url: str, model: str, *, begun: bool = False) -> InklingError:
    """One sentence on an error of the library, and what to do; `begun`: it had answered."""
    if isinstance(error, InklingError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _refused(error, url, model)
    if isinstance(cause := _root(error), ssl.SSLError):
        return InklingError(
            "The server at {url} can't prove who it is: {said}.",
            hint="Its certificate must be one that this system trusts; on this machine http does.",
            told={"url": url, "said": _said(cause.reason or cause)},
        )
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        return died(url) if begun else no_server(url)
    if isinstance(error, openai.APIError):  # in the midst of a stream
        return InklingError(
            "The server at {url} could not go on: {said}.",
            hint="Look at what the server itself says, and ask again.",
            told={"url": url, "said": _said(error.message)},
        )
    return InklingError(
        "What answers at {url} is no server with a language model.",
        hint="Its address ends with /v1 as a rule; `inkling ask --servers` shows what is found.",
        told={"url": url},
    )


def _root(error: BaseException) -> BaseException:
    """What an error began with."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error


def _refused(error: openai.APIStatusError, url: str, model: str) -> InklingError:
    status, said = error.status_code, _said(error.message)
    if status in (401, 403):
        return InklingError(
            "The server at {url} wants another key than it was given.",
            hint="Set the variable INKLING_ASK_KEY and end the indexer with `inkling stop`: it "
            "starts again with it.",
            told={"url": url},
        )
    if status == 404:
        return InklingError(
            "The server at {url} has no model “{model}”.",
            hint="Those it has are listed by `inkling ask --servers`.",
            told={"url": url, "model": model or "?"},
        )
    if status == 429:
        return InklingError(
            "The server at {url} has too much to do.",
            hint="Wait until it has answered others, and ask again.",
            told={"url": url},
        )
    if 300 <= status < 400:
        return InklingError(
            "The server at {url} sends on to another address, which is not followed.",
            hint="Name that address in the settings, if it is the right one.",
            told={"url": url},
        )
    if too_long(error):
        return InklingError(
            "The model {model} can't read so much at once.",
            hint="Give it less in the settings (“Room for question and answer”), or let its "
            "server have a longer context.",
            told={"model": model},
        )
    return InklingError(
        "The server at {url} refused ({status}): {said}.",
        hint="Look at what the server itself says.",
        told={"url": url, "status": status, "said": said},
    )


def too_long(error: BaseException) -> bool:
    """Whether the prompt did not fit."""
    return _of(error, (400, 413, 422, 500), _TOO_LONG)


def blind(error: BaseException) -> bool:
    """Whether pictures were what a server did not want."""
    return _of(error, (400, 415, 422, 500, 501), _PICTURES)


def unknown(error: BaseException, names: tuple[str, ...]) -> str:
    """Which of these parameters a server does not take; "" where it is something else."""
    if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
        return ""
    return next((name for name in names if name in error.message), "")


def _of(error: BaseException, statuses: tuple[int, ...], words: re.Pattern[str]) -> bool:
    if isinstance(error, openai.APIStatusError):
        return error.status_code in statuses and bool(words.search(str(error.message)))
    return isinstance(error, openai.APIError) and bool(words.search(str(error.message)))


def _said(message: object) -> str:
    """What a server says, short and in one line."""
    flat = " ".join(str(message).split())
    shown = "".join(c for c in flat if c.isprintable())
    shown = shown if len(shown) <= _MOST_SAID else shown[:_MOST_SAID] + "…"
    return shown.rstrip(".")
