"""Pictures: pixels to text by OCR, what they are, and when they were taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from engine.contract.errors import InklingError
from engine.contract.types import Box, Kind
from engine.encoders.image_onnx.look import look_at, packed
from engine.encoders.image_onnx.network import Seen, network
from indexer.reading.extract import render
from indexer.reading.extract.base import Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.ocr_pages import OcrPages
from indexer.reading.extract.photograph import PhotographFacts
from indexer.reading.extract.picture_class import classify
from indexer.reading.extract.picture_words import phrases_shown, words_shown

MAX_FRAMES = 500  # pages of a TIFF that are read
ANIMATION_FRAMES = 100  # of an animation at most, of those that differ
FRAMES_LOOKED_AT = 600
#: Grey levels by which some spot of a small copy has to change for frames to differ.
_CHANGED, _SMALL = 24, (192, 192)


def extract_picture(path: Path, options: ExtractOptions) -> Extraction:
    """One part per page of a TIFF, else one part; pages there was no time for are `unread`."""
    notes: list[str] = []
    reader = _Frames(options)
    with render.opened(path) as image:
        facts = PhotographFacts(path, image)
        pages = getattr(image, "n_frames", 1)
        animated = image.format != "TIFF" and pages > 1
        chosen = _distinct(image, pages) if animated else _frames(pages, notes)
        for number in chosen:
            try:
                reader.read(image, number, alone=pages == 1)
            except (OSError, ValueError, SyntaxError, EOFError):
                if not reader.parts:
                    raise
                notes.append(f"Damaged from frame {number + 1} on.")
                break
        parts, first = reader.parts, reader.first
        if animated:
            parts = [_merged(parts)]
    assert first is not None  # the first frame is there, or its error left
    lines = _line_boxes(parts[0]) if options.ocr else None
    if lines and not _is_written(parts[0].text):
        lines = []
    kind_of = classify(first, camera=bool(facts.camera), lines=lines)
    tells = kind_of == "photo" or lines == []
    seen = _seen(first, notes) if tells or options.look else None
    notes[:0] = reader.ocr.notes(len(chosen), pages)
    notes += facts.notes
    if not any(part.text for part in parts) and not notes:
        notes.append("No text was found in the picture.")
    if facts.said:
        parts[0].text = "\n".join([parts[0].text, *facts.said]).strip("\n")
    kind: Kind = "screenshot" if kind_of == "screenshot" else "image"
    return Extraction(
        kind,
        parts,
        picture=kind_of,
        shows=words_shown(seen) if seen and tells else [],
        sights=phrases_shown(seen) if seen and tells else [],
        places=facts.places,
        look=packed(look_at(first, seen)) if seen and options.look else None,
        attributes={
            "taken": facts.taken,
            "camera": facts.camera,
            "lens": facts.lens,
            "place": ", ".join(facts.places),
            "width": first.width,
            "height": first.height,
            "pages": pages if pages > 1 and not animated else None,
        },
        notes=notes,
        ocr_pages=reader.ocr.to_keep,
        unread=len(reader.ocr.unread),
    )


def _frames(pages: int, notes: list[str]) -> list[int]:
    if pages > MAX_FRAMES:
        notes.append(f"Only the first {MAX_FRAMES} of {pages} pages were read.")
    return list(range(min(pages, MAX_FRAMES)))


def _distinct(image: Image.Image, pages: int) -> list[int]:
    """Frames of an animation that show something else than the one before, so many of them that
    reading them takes no longer than a document."""
    distinct, before = [0], None
    for number in range(min(pages, FRAMES_LOOKED_AT)):
        try:
            image.seek(number)
            small = np.asarray(image.convert("L").resize(_SMALL, Image.Resampling.BOX), np.int16)
        except (OSError, ValueError, SyntaxError, EOFError):
            break
        if before is not None and np.abs(small - before).max() > _CHANGED:
            distinct.append(number)
        before = small
    if len(distinct) > ANIMATION_FRAMES:
        places = np.linspace(0, len(distinct) - 1, ANIMATION_FRAMES).astype(int)
        distinct = [distinct[place] for place in places]
    image.seek(0)
    return distinct


class _Frames:
    """Reads frame after frame."""

    def __init__(self, options: ExtractOptions) -> None:
        self.parts: list[Part] = []
        self.first: Image.Image | None = None  # upright, RGB
        self.ocr = OcrPages(options.ocr_pages, options.ocr_seconds)
        self._options = options

    def read(self, image: Image.Image, number: int, *, alone: bool) -> None:
        """One frame (0-based); only a picture that is `alone` has no page."""
        options = self._options
        picture: Image.Image | None = None

        def decoded() -> Image.Image:
            nonlocal picture
            if picture is None:
                image.seek(number)
                picture = render.flat_rgb(image)
            return picture

        if self.first is None:
            self.first = decoded()
        part = Part("", page=None if alone else number + 1, ocr=True)
        known = self.ocr.knows(number + 1)  # what else is wanted of it is there, too
        if options.ocr:
            if (found := self.ocr.read(number + 1, decoded)) is None:
                return
            part.text, part.words = found.text, found.words
        name = f"picture-{number + 1}"
        if options.thumbs and not known:
            part.thumb = render.save_thumb(decoded(), options.scratch, name)
        if options.pixels:
            part.image = render.save_pixels(decoded(), options.scratch, name, options.max_pixels)
        self.parts.append(part)


def _is_written(text: str) -> bool:
    """Whether there is any word: to OCR an orange is a “0”, a toy bear a “骨”."""
    return any(sum(c.isalnum() for c in line) > 1 for line in text.split("\n"))


def _seen(picture: Image.Image, notes: list[str]) -> Seen | None:
    try:
        return network().see(picture)
    except InklingError as error:  # the picture is found by its name and its text
        notes.append(f"What it shows could not be told: {error}")
        return None


def _line_boxes(part: Part) -> list[Box]:
    """The boxes of the words that stand in one line of the text, as one."""
    rows: dict[int, list[Box]] = {}
    for word in part.words:
        rows.setdefault(part.text.count("\n", 0, word.start), []).append(word.box)
    found = []
    for boxes in rows.values():
        x0, y0, x1, y1 = zip(*boxes, strict=True)
        found.append((min(x0), min(y0), max(x1), max(y1)))
    return found


def _merged(parts: list[Part]) -> Part:
    """An animation as one part: its first frame, and lines that only later frames show."""
    first = parts[0]
    first.page = None
    seen = set(first.text.split("\n"))
    for part in parts[1:]:
        new = [line for line in part.text.split("\n") if line and line not in seen]
        seen.update(new)
        first.text = "\n".join(filter(None, [first.text, *new]))
    return first


def extract_svg(path: Path, options: ExtractOptions) -> Extraction:
    """A drawing: its own text elements, and its rendering."""
    from indexer.reading.extract.mupdf import opened_document
    from indexer.reading.extract.pdf_text import page_text

    with opened_document(path) as document:
        page = document[0]
        text, words = page_text(page)
        picture = render.page_image(page, max_pixels=4_000_000, dpi=144)
        size = (int(page.rect.width), int(page.rect.height))
    own = _svg_texts(path.read_bytes())
    seen = _squeezed(text)
    hidden = [line for line in own if _squeezed(line) not in seen]
    part = Part("\n".join(filter(None, (text, *hidden))), words=words)
    if options.thumbs:
        part.thumb = render.save_thumb(picture, options.scratch, "picture-1")
    if options.pixels:
        part.image = render.save_pixels(picture, options.scratch, "picture-1", options.max_pixels)
    sides = {"width": size[0], "height": size[1]}
    return Extraction("image", [part], picture="diagram", attributes=sides)


def _svg_texts(data: bytes) -> list[str]:
    """Titles, descriptions and labels as they are written; a renderer knows few of them."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    found: list[str] = []
    for element in () if root is None else root.iter("{*}title", "{*}desc", "{*}text", _FOREIGN):
        texts = (str(text) for text in element.itertext())
        glue = " " if element.tag.endswith("foreignObject") else ""
        found.append(" ".join(glue.join(texts).split()))
    return list(dict.fromkeys(filter(None, found)))


def _squeezed(text: str) -> str:
    return "".join(text.casefold().split())


_FOREIGN = "{*}foreignObject"
_RASTER = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "jfif",
        "webp",
        "gif",
        "bmp",
        "tif",
        "tiff",
        "avif",
        "heic",
        "heif",
        "ico",
        "jp2",
        "j2k",
        "jpf",
        "jpx",
    ]
)

EXTRACTORS: tuple[Extractor, ...] = (
    Extractor(
        "picture",
        8,
        _RASTER,
        "image",
        extract_picture,
        processor_s=120.0,
        reads="text by OCR (Latin, Chinese, Japanese, Cyrillic, Greek), in every frame that"
        " differs; captions and keywords (EXIF, IPTC, XMP, PNG); what is seen; when (EXIF, XMP"
        " inside or beside it, its name), where (by GPS), with what camera and how large it was"
        " taken",
    ),
    Extractor(
        "svg",
        3,
        frozenset({"svg"}),
        "image",
        extract_svg,
        max_bytes=20_000_000,
        reads="labels, titles, descriptions, HTML inside",
    ),
)
