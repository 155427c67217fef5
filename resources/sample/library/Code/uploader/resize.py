"""Makes previews that fit a box, without ever decoding more pixels than needed."""

from pathlib import Path

from PIL import Image, ImageOps

LIMIT = 100_000_000  # pixels; larger non-JPEG pictures are refused


class TooLarge(ValueError):
    """A decompression bomb, or somebody's whole bedroom wall."""


def preview(source: Path, target: Path, box: tuple[int, int] = (512, 512)) -> tuple[int, int]:
    """Write a WebP of at most the size of `box`, upright; returns its width and height."""
    with Image.open(source) as picture:
        if picture.format == "JPEG":
            picture.draft("RGB", (box[0] * 2, box[1] * 2))
        elif picture.width * picture.height > LIMIT:
            raise TooLarge(f"{picture.width} x {picture.height}")
        upright = ImageOps.exif_transpose(picture).convert("RGB")
        upright.thumbnail(box, Image.Resampling.LANCZOS)
        upright.save(target, "WEBP", quality=80)
        return upright.size
