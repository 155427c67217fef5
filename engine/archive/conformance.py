"""Whether an object store does what commits rely on; some imitations of S3 lose them in silence.

Tried before the first write of a process, with a few small objects that are removed again: a second
conditional write is refused, a range is answered with that range, what was written is listed and
what was removed is not, parts become a whole, and its clock is ours.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

from engine.archive.failures import code_of, guarded
from engine.archive.place import Place
from engine.contract.errors import InklingError

#: S3 refuses requests whose time is further off (s).
_SKEW = 900.0
_CONTENTS = b"0123456789" * 10
_checked: set[tuple[str | None, str, str]] = set()
_lock = threading.Lock()


def check_object_store(place: Place) -> None:
    """InklingError where commits would not be safe there; nothing for a folder, and nothing for a
    place that this process has tried before."""
    if place.folder is not None:
        return
    key = (place.endpoint, place.bucket, place.prefix)
    with _lock:
        if key in _checked:
            return
        with guarded(place, "write"):
            _try(place, _client(place))
        _checked.add(key)


def _client(place: Place) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise InklingError(
            "An archive in a bucket needs the extra: pip install 'inkling-search[archive]'.",
            hint="Then start it again; or choose a folder for the archive.",
        ) from error
    config = Config(
        connect_timeout=10,
        read_timeout=30,
        retries={"total_max_attempts": 3, "mode": "standard"},
        s3={"addressing_style": "path" if place.endpoint else "auto"},
    )
    return boto3.session.Session().client(
        "s3", endpoint_url=place.endpoint, region_name=place.region, config=config
    )


def _try(place: Place, s3: Any) -> None:
    prefix = "/".join(filter(None, (place.prefix, "_trial", secrets.token_hex(8))))
    first, whole = {"Bucket": place.bucket, "Key": f"{prefix}/a"}, f"{prefix}/b"
    answer = s3.put_object(**first, Body=_CONTENTS, IfNoneMatch="*")
    try:
        _check_clock(place, answer)
        _check_second_write(place, s3, first)
        if s3.get_object(**first)["Body"].read() != _CONTENTS:
            raise unsafe(place, "it does not give back what was written")
        _check_ranges(place, s3, first)
        _check_parts(place, s3, whole)
        if _listed(s3, place, prefix) != {first["Key"], whole}:
            raise unsafe(place, "its listing lacks what was just written")
    finally:
        with suppress(Exception):  # what stays is a hundred bytes that nobody reads
            for key in (first["Key"], whole):
                s3.delete_object(Bucket=place.bucket, Key=key)
    if _listed(s3, place, prefix):
        raise unsafe(place, "its listing has what was just removed")


def _check_clock(place: Place, answer: Any) -> None:
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if said and abs(parsedate_to_datetime(said).timestamp() - time.time()) > _SKEW:
        raise InklingError(
            "The clock of this machine is not that of {uri}.",
            hint="Set the clock (timedatectl set-ntp true) and start it again; nothing is lost.",
            told={"uri": place.uri},
        )


def _check_second_write(place: Place, s3: Any, key: Any) -> None:
    from botocore.exceptions import ClientError

    try:
        s3.put_object(**key, Body=b"x", IfNoneMatch="*")
    except ClientError as error:
        if code_of(str(error)) not in ("PreconditionFailed", "ConditionalRequestConflict", "412"):
            raise
        return
    raise unsafe(place, "it accepts a second write where only the first may stand")


def _check_ranges(place: Place, s3: Any, key: Any) -> None:
    for span, expected in (("bytes=3-6", _CONTENTS[3:7]), ("bytes=-4", _CONTENTS[-4:])):
        if s3.get_object(**key, Range=span)["Body"].read() != expected:
            raise unsafe(place, "it does not answer a range with that range")


def _check_parts(place: Place, s3: Any, key: str) -> None:
    at = {"Bucket": place.bucket, "Key": key}
    upload = {**at, "UploadId": s3.create_multipart_upload(**at)["UploadId"]}
    tag = s3.upload_part(**upload, PartNumber=1, Body=_CONTENTS)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    if s3.get_object(**at)["Body"].read() != _CONTENTS:
        raise unsafe(place, "it does not make a whole of parts")


def _listed(s3: Any, place: Place, prefix: str) -> set[str]:
    found = s3.list_objects_v2(Bucket=place.bucket, Prefix=f"{prefix}/")
    return {row["Key"] for row in found.get("Contents", ())}


def unsafe(place: Place, why: str) -> InklingError:
    """The refusal of an object store."""
    return InklingError(
        "The object store of {uri} is not safe for an archive: {why}.",
        hint="Commits would be lost in silence. Use one with conditional writes, such as Amazon "
        "S3, MinIO or Ceph; “rclone serve s3” is none.",
        told={"uri": place.uri, "why": why},
    )
