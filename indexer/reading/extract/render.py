"""Pictures of pages: decoding with limits, previews and what encoders that see are given."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile, ImageOps, PngImagePlugin

from indexer.reading.extract.base import ExtractError
from indexer.reading.extract.mupdf import opened_document

#: Decoded size that is still accepted, bytes. 100 megapixels of RGB; a bomb says thousands.
MAX_DECODED = 320_000_000
#: JPEGs above the limit are decoded at a half, quarter or eighth by the decoder itself.
MAX_JPEG_PIXELS = 420_000_000
#: What is kept of a decoded picture, pixels; more helps neither OCR nor any encoder.
MAX_KEPT = 40_000_000
THUMB_SIDE = 512
#: Of a JPEG for a language model, and the share of a PNG's size that it has to be below.
_SHOWN_QUALITY, _MUCH_SMALLER = 85, 0.6
#: Mean of the opacity from which on a picture has a ground of its own, and of the lightness from
#: which on what is drawn would not be seen on white.
_MOSTLY_THERE, _LIGHT = 0.8, 200.0
_BYTES = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2, "I;16L": 2, "CMYK": 4, "RGBA": 4, "RGBX": 4}


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture file, header read and limits checked, not yet decoded."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None  # our own limit counts bytes and lets large JPEGs shrink
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # half a download still shows its upper half
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as image:
                _check_size(image)
                yield image
        except ExtractError:
            raise
        except PermissionError as error:
            raise ExtractError("unreadable", str(error.strerror)) from error
        except MemoryError as error:
            raise ExtractError("too-complex", "the picture needs too much memory") from error
        except Exception as error:
            raise ExtractError("broken", f"{type(error).__name__}: {error}"[:200]) from error


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height == 0:
        raise ExtractError("broken", "the picture has no pixels")
    decoded = width * height * _BYTES.get(image.mode, 3)
    if decoded <= MAX_DECODED:
        return
    if image.format == "JPEG" and width * height <= MAX_JPEG_PIXELS:
        scale = math.sqrt(MAX_KEPT / (width * height))
        image.draft("RGB", (int(width * scale), int(height * scale)))
        return
    raise ExtractError("too-complex", f"{width} × {height} pixels")


def flat_rgb(image: Image.Image) -> Image.Image:
    """Upright RGB on white, at most MAX_KEPT pixels, from any mode."""
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.width * image.height > MAX_KEPT:
        image = image.reduce(math.ceil(math.sqrt(image.width * image.height / MAX_KEPT)))
    if image.mode.startswith("I") or image.mode == "F":
        return _stretched(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, _paper(image))
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")


def _paper(image: Image.Image) -> str:
    """The colour of what a transparent picture is laid on: white, for one that is drawn in white a
    dark grey, or nothing would be seen of it."""
    import numpy as np

    small = np.asarray(image.reduce(max(1, max(image.size) // 512)), dtype=np.float32)
    alpha = small[:, :, 3] / 255
    if alpha.mean() > _MOSTLY_THERE or not alpha.any():
        return "white"
    light = small[:, :, :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    mean = float((light * alpha).sum() / alpha.sum())
    return "#202020" if mean > _LIGHT else "white"


def _stretched(image: Image.Image) -> Image.Image:
    """Grey levels of 16 or 32 bits mapped onto 8; convert() would clip them."""
    import numpy as np

    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    top = float(values.max(initial=0.0))
    scale = 1.0 if top <= 255 else 65535 / 255 if top <= 65535 else top / 255
    return Image.fromarray(np.clip(values / scale, 0, 255).astype(np.uint8))


def save_thumb(image: Image.Image, folder: str, name: str) -> str:
    """A WebP of at most THUMB_SIDE pixels; returns its file name."""
    small = image.copy()
    small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    small.save(Path(folder) / f"{name}.webp", "WEBP", quality=78, method=2)
    return f"{name}.webp"


def save_pixels(image: Image.Image, folder: str, name: str, max_pixels: int) -> str:
    """A PNG of at most max_pixels for encoders that see; returns its file name."""
    scale = math.sqrt(max_pixels / (image.width * image.height))
    if scale < 1:
        size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    image.save(Path(folder) / f"{name}.png", "PNG", compress_level=1)
    return f"{name}.png"


def page_image(page: Any, max_pixels: int, dpi: int = 150) -> Image.Image:
    """A page of a document as RGB at `dpi`, less where that would pass max_pixels."""
    import pymupdf

    width, height = page.rect.width, page.rect.height
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ExtractError("broken", "the page has no size")
    zoom = min(dpi / 72, math.sqrt(max_pixels / (width * height)))
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
    return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


def is_blank(image: Image.Image) -> bool:
    """Whether nothing is drawn on it."""
    low, high = image.convert("L").getextrema()
    return float(high) - float(low) < 8  # type: ignore[arg-type]


def render(
    path: Path, page: int, width_px: int, out: Path, most_pixels: int | None = None
) -> tuple[int, int]:
    """Write a page (1-based), picture or SVG as PNG of that width; returns its size.

    The number of pages goes along as the PNG's text "Pages". With `most_pixels` it has no more
    than these, and is a JPEG where that is much smaller.
    """
    image, pages = drawn(path, page, width_px)
    scale = min(1.0, width_px / image.width)
    if most_pixels is not None:
        scale = min(scale, math.sqrt(most_pixels / (image.width * image.height)))
    if scale < 1.0:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    said = PngImagePlugin.PngInfo()
    said.add_text("Pages", str(pages))
    data = _saved(image, "PNG", compress_level=1, pnginfo=said)
    if most_pixels is not None:
        smaller = _saved(image, "JPEG", quality=_SHOWN_QUALITY)
        data = smaller if len(smaller) < _MUCH_SMALLER * len(data) else data
    out.write_bytes(data)
    return image.size


def _saved(image: Image.Image, form: str, **how: Any) -> bytes:
    with io.BytesIO() as buffer:
        image.save(buffer, form, **how)
        return buffer.getvalue()


def drawn(path: Path, page: int, width_px: int) -> tuple[Image.Image, int]:
    """A page (1-based), picture or SVG, and how many pages there are; what has no pixels of its own
    is drawn about so wide."""
    if path.suffix.lower() not in (".pdf", ".svg"):
        with opened(path) as image:
            pages = int(getattr(image, "n_frames", 1))
            if page > 1:
                image.seek(page - 1)
            return flat_rgb(image), pages
    with opened_document(path) as document:
        if not 1 <= page <= len(document):
            raise ExtractError("broken", f"there is no page {page}")
        sheet = document[page - 1]
        dpi = max(1, int(72 * width_px / sheet.rect.width))
        return page_image(sheet, MAX_KEPT, dpi=dpi), len(document)
