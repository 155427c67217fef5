"""Bytes to text: byte order marks, UTF-8, UTF-16 without a mark, then legacy encodings by guess."""

from __future__ import annotations

import codecs
import re

from indexer.extract.base import ExtractError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding=["']([\w.:-]+)|<meta[^>]{0,300}?charset=["']?\s*([\w.:-]+)"""
    rb"""|^[^\n]{0,200}\bcoding[:=]\s*([\w.-]+)""",
    re.IGNORECASE,
)
#: Control characters that text does not contain.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SAMPLE = 200_000  # bytes the guess looks at


def decode(data: bytes) -> str:
    """The text of a file; ExtractError "binary" or "decode" if it is none."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _newlines(data.decode(name, errors="replace"))
    text = _utf8(data)
    if text is None:
        text = _utf16(data)
    if text is None:
        text = _declared(data) or _guessed(data)
    if _binary(text):
        raise ExtractError("binary")
    return _newlines(text)


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _utf16(data: bytes) -> str | None:
    """UTF-16 without a mark shows as zero bytes at every second place of a Latin text."""
    sample = data[: _SAMPLE & ~1]
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if zeros and zeros.count(0) > 0.4 * len(zeros):
            try:
                return data.decode(name)
            except UnicodeDecodeError:
                continue
    return None


def _declared(data: bytes) -> str | None:
    found = _DECLARED.search(data[:2048])
    if not found:
        return None
    name = next(g for g in found.groups() if g).decode("ascii", "replace")
    try:
        return data.decode(name)
    except (LookupError, UnicodeDecodeError):
        return None


def _guessed(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise ExtractError("binary" if b"\0" in data[:_SAMPLE] else "decode")
    return data.decode(best.encoding, errors="replace")


def _binary(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_CONTROLS.findall(sample)) > 0.005 * len(sample) + 1
