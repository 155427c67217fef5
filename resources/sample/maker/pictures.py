"""Renders a photograph that nobody took and a letter that nobody scanned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

LETTER = """\
Harbour Street Housing Co-operative
Quay 3, 2nd floor

                                                        2 February 2026

To the tenants of Hafenstraße 12


Replacement of the radiators

Dear neighbours,

between 4 and 15 May the old radiators in all flats will be taken out
and replaced. On the day itself there is no warm water from eight in
the morning until about five in the afternoon.

Please clear one metre of floor in front of every radiator and cover
your furniture: drilling makes dust. The fitters need to get into the
cellar compartments as well.

For each day without heating the rent is reduced by 3 per cent. You do
not have to apply, it is settled with the bill for August.

If you can't be at home, leave a key with Mr Okafor on the fourth floor.


With kind regards

   G. Steensen
   Caretaking
"""


def font(size: int, name: str = "LiberationSerif-Regular") -> ImageFont.FreeTypeFont:
    """A serif face: the first of some that is installed."""
    for candidate in (name, "NimbusRoman-Regular", "DejaVuSerif"):
        for ending in (".ttf", ".otf", ".t1"):
            try:
                return ImageFont.truetype(candidate + ending, size)
            except OSError:
                continue
    raise SystemExit("No serif font found.")


def paper(text: str, seed: int, angle: float) -> Image.Image:
    """Text as a cheap scanner sees it: crooked, grey, speckled, a little soft."""
    page = Image.new("L", (1240, 1754), 250)
    draw = ImageDraw.Draw(page)
    draw.multiline_text((130, 140), text, font=font(31), fill=35, spacing=14)
    page = page.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=250)
    pixels = np.asarray(page.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float32)
    random = np.random.default_rng(seed)
    shade = np.linspace(0, -22, pixels.shape[1])[None, :]
    pixels = pixels + shade + random.normal(0, 7, pixels.shape)
    specks = random.random(pixels.shape) > 0.99985
    return Image.fromarray(np.clip(np.where(specks, 60, pixels), 0, 255).astype(np.uint8))


def scan(path: Path) -> None:
    """A letter about radiators, scanned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    paper(LETTER, 5, 1.1).save(path, quality=62, dpi=(150, 150))


def ridge(random: np.random.Generator, width: int, rough: float) -> np.ndarray:
    """[width] heights between 0 and 1: noise summed over octaves."""
    heights = np.zeros(width)
    for octave in range(2, 9):
        points = random.random(2**octave + 1)
        heights += np.interp(np.linspace(0, 2**octave, width), range(2**octave + 1), points) / (
            rough**octave
        )
    return (heights - heights.min()) / np.ptp(heights)


def lake(path: Path) -> None:
    """Evening at a mountain lake: sky, three ridges, their mirror image, grain; dated by EXIF."""
    width, height, shore = 1600, 1067, 640
    random = np.random.default_rng(21)
    y = np.linspace(0, 1, shore)[:, None, None]
    top, low = np.array([58, 84, 138.0]), np.array([248, 176, 112.0])
    sky = np.broadcast_to(top * (1 - y) + low * y, (shore, width, 3)).copy()
    grid_y, grid_x = np.mgrid[0:shore, 0:width]
    glow = np.exp(-(((grid_x - 1120) / 330.0) ** 2 + ((grid_y - 540) / 210.0) ** 2))
    sky += glow[..., None] * np.array([70, 60, 10.0])
    for base, tall, rough, colour in (
        (470, 240, 2.0, (122, 112, 140)),
        (540, 190, 1.8, (78, 76, 104)),
        (600, 120, 1.6, (38, 42, 58)),
    ):
        edge = base - tall * ridge(random, width, rough) + 60
        sky[grid_y > edge[None, :]] = colour
    ripple = (6 * np.sin(np.arange(height - shore) / 3.1)).astype(int)
    rows = np.clip(shore - 1 - np.arange(height - shore) * shore // (height - shore), 0, shore - 1)
    water = np.stack(
        [np.roll(sky[row], shift, axis=0) for row, shift in zip(rows, ripple, strict=True)]
    )
    water = water * np.linspace(0.82, 0.45, height - shore)[:, None, None]
    picture = np.concatenate([sky, water]) + random.normal(0, 4.5, (height, width, 1))
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(0.8))
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Halden", "Halden K2"
    exif[0x0132] = "2025:08:17 20:41:09"
    details = exif.get_ifd(0x8769)
    details[0x9003] = details[0x9004] = "2025:08:17 20:41:09"
    details[0x9011] = "+02:00"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=78, exif=exif)


def make(library: Path) -> None:
    """Render both."""
    scan(library / "Documents" / "Scans" / "scan0007.jpg")
    lake(library / "Pictures" / "2025" / "IMG_2041.jpg")
