"""Pictures drawn for tests: distinct scenes, and what becomes of pictures on their way."""

from __future__ import annotations

import io
import random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps


def scene(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A landscape of a sky, hills and things of other colours, shapes and places for each seed."""
    chance = random.Random(seed)
    width, height = size
    top, bottom = (np.array([chance.randint(20, 250) for _ in range(3)]) for _ in range(2))
    share = np.linspace(0, 1, height)[:, None, None]
    sky = np.broadcast_to(top * (1 - share) + bottom * share, (height, width, 3))
    picture = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(chance.randint(3, 7)):
        colour = tuple(chance.randint(0, 255) for _ in range(3))
        x, y = chance.uniform(0, 0.9) * width, chance.uniform(0, 0.9) * height
        w, h = chance.uniform(0.1, 0.5) * width, chance.uniform(0.1, 0.5) * height
        kind = chance.choice(("ellipse", "rectangle", "hill", "stripes"))
        if kind == "ellipse":
            draw.ellipse((x, y, x + w, y + h), fill=colour)
        elif kind == "rectangle":
            draw.rounded_rectangle((x, y, x + w, y + h), 12, fill=colour, outline="black")
        elif kind == "hill":
            draw.polygon([(x - w, height), (x, y), (x + w, height)], fill=colour)
        else:
            for n in range(6):
                draw.line((x, y + n * h / 6, x + w, y + n * h / 9), fill=colour, width=7)
    grain = np.random.default_rng(seed).normal(0, 6, (height, width, 1))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(1)), np.float32)
    return Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))


def cut(picture: Image.Image, share: float, x: float = 0.5, y: float = 0.5) -> Image.Image:
    """A part of so much of the sides; `x`, `y`: where, 0 left or top … 1 right or bottom."""
    width, height = (round(side * share) for side in picture.size)
    left, top = round((picture.width - width) * x), round((picture.height - height) * y)
    return picture.crop((left, top, left + width, top + height))


def smaller(picture: Image.Image, share: float) -> Image.Image:
    width, height = (max(1, round(side * share)) for side in picture.size)
    return picture.resize((width, height))


def saved(picture: Image.Image, quality: int) -> Image.Image:
    """As JPEG gives it back."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def shot(picture: Image.Image, chance: random.Random) -> Image.Image:
    """As if it was taken a moment later: from another place, by another hand, in another light."""
    part = cut(picture, chance.uniform(0.75, 0.9), chance.random(), chance.random())
    turned = part.rotate(chance.uniform(-4, 4), Image.Resampling.BICUBIC)
    lit = ImageEnhance.Brightness(cut(turned, 0.9)).enhance(chance.uniform(0.8, 1.2))
    return saved(lit, 85)


def framed(picture: Image.Image, colour: str = "black") -> Image.Image:
    return ImageOps.expand(picture, 40, fill=colour)
