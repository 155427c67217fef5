"""What a photograph says of itself: when and where it was taken, with which camera and lens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image, IptcImagePlugin

from indexer.reading.extract.base import ExtractError
from indexer.reading.extract.dates import moment, moment_of_name
from indexer.reading.extract.encodings import decode
from indexer.reading.extract.places import place_names

_MAKE, _MODEL, _CHANGED, _EXIF = 0x010F, 0x0110, 0x0132, 0x8769
_ORIGINAL, _DIGITISED = 0x9003, 0x9004
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITISED = 0x9010, 0x9011, 0x9012
_LENS_MODEL = 0xA434
_GPS, _SOUTH_OR_NORTH, _LATITUDE, _WEST_OR_EAST, _LONGITUDE = 0x8825, 1, 2, 3, 4
_XMP_IN_TIFF = 700
_DESCRIPTION, _COMMENT = 0x010E, 0x9286
#: Title, comment, keywords and subject as Windows writes them, in UTF-16.
_OF_WINDOWS = (0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F)
#: What people say of a picture, by local name in XMP, by number in IPTC, by keyword in PNG.
_XMP_SAID = frozenset({"title", "description", "subject", "Headline", "PersonInImage",
                       "UserComment", "AltTextAccessibility", "Location", "Event"})  # fmt: skip
_IPTC_SAID = ((2, 5), (2, 105), (2, 120), (2, 25))
_PNG_SAID = ("Title", "Description", "Comment", "parameters")
#: What cameras and programs say of every picture.
_OF_NOBODY = re.compile(
    r"olympus digital camera|(?:sony|minolta|samsung|kodak|konica) \w{0,6} ?\w* ?camera|sony dsc"
    r"|exif_jpeg_picture|dcim|default|screenshot|untitled|created with.*|binary comment",
    re.IGNORECASE,
)
_LONGEST = 5_000
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
        self.said = list(_said(path, image, exif))  # captions, keywords, a line each
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


def _said(path: Path, image: Image.Image, exif: dict[int, Any]) -> Iterator[str]:
    """What people wrote of it, each once; a line for all that is told in one place."""
    told: dict[str, None] = {}
    for tag in (_DESCRIPTION, _COMMENT, *_OF_WINDOWS):
        value = exif.get(tag)
        if isinstance(value, bytes) and tag != _DESCRIPTION:
            wide = tag in _OF_WINDOWS or value.startswith(b"UNICODE")
            value = value[0 if tag in _OF_WINDOWS else 8 :]  # before a comment its character set
            little = value[1:2] == b"\0" or tag in _OF_WINDOWS
            code = ("utf-16-le" if little else "utf-16-be") if wide else "utf-8"
            value = value.decode(code, "replace")
        told[_text({tag: value}, tag)] = None
    try:
        iptc = IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - as of all of EXIF
        iptc = {}
    for key in _IPTC_SAID:
        values = iptc.get(key, [])
        told[", ".join(_decoded(v) for v in (values if isinstance(values, list) else [values]))] = (
            None
        )
    for xmp in _xmps(path, image):
        for element in _elements(xmp):
            if element.tag.rpartition("}")[2] in _XMP_SAID:
                texts = (" ".join(str(text).split()) for text in element.itertext())
                told[", ".join(dict.fromkeys(filter(None, texts)))] = None
            pairs = element.attrib.items()
            told.update({v.strip(): None for k, v in pairs if k.rpartition("}")[2] in _XMP_SAID})
    for name in _PNG_SAID if image.format == "PNG" else ():
        told[" ".join(str(image.info.get(name, "")).split())] = None
    yield from (text[:_LONGEST] for text in told if text and not _OF_NOBODY.fullmatch(text))


def _decoded(value: bytes) -> str:
    try:
        return decode(value)
    except ExtractError:
        return ""


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


def _elements(data: bytes) -> Iterator[Any]:
    """All of XMP; nothing of what is damaged."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(data.strip(b"\0 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    yield from () if root is None else root.iter(etree.Element)


def _xmp_date(data: bytes) -> float | None:
    """When it was taken, written as an attribute or as an element."""
    told: dict[str, float] = {}
    for element in _elements(data):
        pairs = [(element.tag, element.text or ""), *element.attrib.items()]
        for name, text in pairs:
            local = str(name).rpartition("}")[2]
            if local in _XMP_DATES and (when := moment(str(text))) is not None:
                told.setdefault(local, when)
    return next((told[name] for name in _XMP_DATES if name in told), None)
