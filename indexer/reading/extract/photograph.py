"""What a photograph says of itself: when and where it was taken, with which camera and lens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from indexer.reading.extract.dates import moment, moment_of_name
from indexer.reading.extract.places import place_names

_MAKE, _MODEL, _CHANGED, _EXIF = 0x010F, 0x0110, 0x0132, 0x8769
_ORIGINAL, _DIGITISED = 0x9003, 0x9004
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITISED = 0x9010, 0x9011, 0x9012
_LENS_MODEL = 0xA434
_GPS, _SOUTH_OR_NORTH, _LATITUDE, _WEST_OR_EAST, _LONGITUDE = 0x8825, 1, 2, 3, 4
_XMP_IN_TIFF = 700
#: Most that is read of a file of XMP.
_XMP_BYTES = 4_000_000
#: Surest first, by local name: when it was taken, when it was made.
_XMP_DATES = ("DateTimeOriginal", "DateCreated", "CreateDate", "DateTimeDigitized")
#: What makers write behind their names.
_COMPANY = re.compile(
    r"\b(corporation|corp|company|co|ltd|inc|gmbh|ag|imaging|optical|electric|electronics|"
    r"electronic|techwin|computer|camera)\b[.,]?",
    re.IGNORECASE,
)


class PhotographFacts:
    """Read from an opened picture, before it is decoded; a damaged block gives nothing."""

    def __init__(self, path: Path, image: Image.Image) -> None:
        exif = _exif(image)
        self.camera = _camera(_text(exif, _MAKE), _text(exif, _MODEL))
        self.lens = _text(exif, _LENS_MODEL) or None
        self.taken = _taken(path, image, exif)
        self.places: list[str] = []  # town, city, state, country
        self.notes: list[str] = []
        if (position := _position(image)) is not None:
            try:
                self.places = place_names(*position)
            except LookupError as error:
                self.notes.append(f"Where it was taken could not be named: {error}.")


def _taken(path: Path, image: Image.Image, exif: dict[int, Any]) -> float | None:
    """By EXIF, else XMP, else the file's name. What EXIF says of digitising and changing is also
    that of a scanner or a program, so that XMP, where people set dates right, goes before it."""
    offset = _text(exif, _OFFSET)
    original = moment(_text(exif, _ORIGINAL), _text(exif, _OFFSET_ORIGINAL) or offset)
    if original is not None:
        return original
    for xmp in _xmps(path, image):
        if (told := _xmp_date(xmp)) is not None:
            return told
    for tag, own in ((_DIGITISED, _OFFSET_DIGITISED), (_CHANGED, _OFFSET)):
        if (told := moment(_text(exif, tag), _text(exif, own) or offset)) is not None:
            return told
    return moment_of_name(path.stem)


def _exif(image: Image.Image) -> dict[int, Any]:
    try:
        exif = image.getexif()
        return {**exif, **exif.get_ifd(_EXIF)}
    except Exception:  # noqa: BLE001 - a broken EXIF block is no reason to lose the picture
        return {}


def _position(image: Image.Image) -> tuple[float, float] | None:
    """Latitude and longitude in degrees; None without them, and at 0, 0, as without a fix."""
    try:
        gps = image.getexif().get_ifd(_GPS)
        latitude = _degrees(gps, _LATITUDE, _SOUTH_OR_NORTH, "S")
        longitude = _degrees(gps, _LONGITUDE, _WEST_OR_EAST, "W")
    except Exception:  # noqa: BLE001 - as of all of EXIF
        return None
    return (latitude, longitude) if latitude or longitude else None


def _degrees(gps: Mapping[int, Any], values: int, side: int, negative: str) -> float:
    """Of degrees, minutes and seconds, and a letter for the side."""
    degrees, minutes, seconds = (float(value) for value in gps[values])
    size = degrees + minutes / 60 + seconds / 3600
    return -size if str(gps.get(side, "")).strip("\0 ").upper() == negative else size


def _text(exif: dict[int, Any], tag: int) -> str:
    value = exif.get(tag)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(value.replace("\0", " ").split()) if isinstance(value, str) else ""


def _camera(make: str, model: str) -> str | None:
    """Maker and model in the fewest words: "nikon d750", not "NIKON CORPORATION NIKON D750"."""
    maker = " ".join(_COMPANY.sub(" ", make).replace(",", " ").split()) or make
    if model.casefold().startswith(maker.casefold().partition(" ")[0]):
        return model or None
    return " ".join(filter(None, (maker, model))) or None


def _xmps(path: Path, image: Image.Image) -> Iterator[bytes]:
    """A file of XMP beside the picture, named either way, then what lies inside."""
    for beside in (path.with_name(f"{path.name}.xmp"), path.with_suffix(".xmp")):
        try:
            with beside.open("rb") as file:
                yield file.read(_XMP_BYTES)
        except (OSError, ValueError):
            continue
    inside = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    tags = getattr(image, "tag_v2", None)
    if inside is None and tags is not None:
        inside = tags.get(_XMP_IN_TIFF)
    if isinstance(inside, str):
        inside = inside.encode()
    if isinstance(inside, bytes) and len(inside) <= _XMP_BYTES:
        yield inside


def _xmp_date(data: bytes) -> float | None:
    """When it was taken, written as an attribute or as an element."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(data.strip(b"\0 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    told: dict[str, float] = {}
    for element in () if root is None else root.iter(etree.Element):
        pairs = [(element.tag, element.text or ""), *element.attrib.items()]
        for name, text in pairs:
            local = str(name).rpartition("}")[2]
            if local in _XMP_DATES and (when := moment(str(text))) is not None:
                told.setdefault(local, when)
    return next((told[name] for name in _XMP_DATES if name in told), None)
