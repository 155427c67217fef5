"""Where an archive lies: a folder, or s3://BUCKET/PREFIX, with what is needed to get there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from engine.contract.errors import InklingError

#: What may be given beside a URI. Keys and tokens may not: they come from the environment, a
#: profile or the machine's role, and nobody writes them down by mistake.
OPTIONS = {"endpoint": "aws_endpoint", "region": "aws_region"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?")


@dataclass(frozen=True, slots=True)
class Place:
    """A place for an archive; `options` are LanceDB's."""

    uri: str
    folder: Path | None  # None: it is in a bucket
    bucket: str = ""
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, uri: str | os.PathLike[str], options: Mapping[str, str] | None = None) -> Place:
        """The place that a URI names. InklingError where it names none."""
        text, options = os.fspath(uri), dict(options or {})
        if unknown := sorted(options.keys() - OPTIONS.keys()):
            raise InklingError(
                "An archive takes no option “{name}”.",
                hint="Endpoint and region can be given; keys come from the environment "
                "(AWS_ACCESS_KEY_ID …), a profile or the machine's role.",
                told={"name": unknown[0]},
            )
        if "://" not in text:
            folder = Path(text).expanduser().absolute()
            return cls(str(folder), folder)
        found = _S3.fullmatch(text.rstrip("/"))
        if not found:
            raise InklingError(
                "{uri} is no place for an archive.",
                hint="Give a folder, or s3://BUCKET/PREFIX.",
                told={"uri": text},
            )
        endpoint = options.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL_S3")
        endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL")
        region = options.get("region") or os.environ.get("AWS_REGION")
        region = region or os.environ.get("AWS_DEFAULT_REGION")
        own = {
            "aws_endpoint": endpoint,
            "aws_region": region or ("us-east-1" if endpoint else None),
        }
        given = {name: value for name, value in own.items() if value}
        if endpoint and endpoint.startswith("http://"):
            _check_plain(endpoint)
            given["allow_http"] = "true"
        prefix = (found["prefix"] or "").strip("/")
        return cls(
            text.rstrip("/"),
            None,
            found["bucket"],
            prefix,
            endpoint,
            given.get("aws_region"),
            given,
        )


def _check_plain(endpoint: str) -> None:
    """Without TLS anyone between reads the files: on this machine alone, or where it is said."""
    if urlsplit(endpoint).hostname in _LOOPBACK:
        return
    if os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true"):
        return
    raise InklingError(
        "The object store at {endpoint} is asked without encryption.",
        hint="Give an https:// address, or set AWS_ALLOW_HTTP=true if the way there is safe.",
        told={"endpoint": endpoint},
    )
