"""Lines of text in many scripts as OCR cuts them out, drawn with the fonts of this machine."""

from __future__ import annotations

import io
import random
import subprocess
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from engine.encoders.text_onnx import packed_file
from engine.encoders.text_onnx.packages import PACKAGED
from engine.encoders.text_onnx.unigram import Unigram
from engine.encoders.text_onnx.weights import package_folder

#: Fonts by a part of their name that no line is trained with.
HELD_OUT = ("P052", "LiberationSans-Regular", "NotoSansMono")
#: Drawn by MuPDF, which brings a font for each and shapes their letters.
SHAPED = (
    "ARABIC", "HEBREW", "HANGUL", "ARMENIAN", "GEORGIAN", "ETHIOPIC", "DEVANAGARI", "THAI",
    "BENGALI", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "GUJARATI", "GURMUKHI", "SINHALA",
    "KHMER", "MYANMAR", "LAO",
)  # fmt: skip
_UNSPACED = ("THAI", "KHMER", "MYANMAR", "LAO")
_CASED = ("CYRILLIC", "GREEK", "LATIN", "ARMENIAN")
_BESIDE = ("404", "2019", "12", "7", "3.5", "100%", "18:30", "№ 5", "15", "2026", "€ 40", "1,250")
_MARKS = (*("{}",) * 76, *("{}.", "{},") * 6, *("{}:", "({})", "«{}»") * 3, "{}!", "{}?")

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line as it is cut out of a picture."""

    script: str
    text: str
    bgr: Pixels


def words_by_script() -> dict[str, list[str]]:
    """Words as they are written, by the first word of their letters' Unicode names: pieces of
    multilingual E5's vocabulary that are whole words, of some scripts parts of words, too."""
    packaged = PACKAGED["e5"]
    place = package_folder(packaged.package, packaged.distribution) / packaged.folder
    vocabulary = packed_file.vocabulary(place / packaged.weights)
    found: dict[str, list[str]] = defaultdict(list)
    for piece, score in zip(Unigram(vocabulary).pieces(), vocabulary.scores.tolist(), strict=True):
        word = unicodedata.normalize("NFC", piece.removeprefix("▁"))
        if not score or len(word) < 2 or not word[0].isalpha():
            continue
        script = unicodedata.name(word[0], "?").split()[0]
        if (piece != word and word.isalpha()) or script in SHAPED[7:]:
            found[script].append(word)
    return dict(found)


def fonts(language: str) -> list[str]:
    """Files of the fonts here that hold a language's letters."""
    told = subprocess.run(
        ["fc-list", f":lang={language}", "file"], capture_output=True, text=True, check=True
    )
    files = {line.strip().rstrip(":") for line in told.stdout.splitlines()}
    return sorted(file for file in files if file.endswith((".ttf", ".otf")))


def _inside(rect: Any) -> tuple[float, float, float, float]:
    return rect.x0 + 8, rect.y0 + 8, rect.x1 - 8, rect.y1 - 8


class Drawing:
    """Draws lines at random, the same for the same seed."""

    def __init__(self, seed: int, *, held_out: bool) -> None:
        self._rng = random.Random(seed)
        self._words = words_by_script()
        self._fonts = {
            script: [f for f in fonts(code) if any(x in f for x in HELD_OUT) == held_out]
            for script, code in (("CYRILLIC", "ru"), ("GREEK", "el"), ("LATIN", "en"))
        }

    def lines(self, scripts: Sequence[str], count: int) -> Iterator[Drawn]:
        """So many, of these scripts by turns."""
        for number in range(count):
            script = scripts[number % len(scripts)]
            text = self._text(script)
            image = self._shaped(text) if script in SHAPED else self._plain(text, script)
            if image is not None and image.height > 5 and image.width < 29 * image.height:
                yield Drawn(script, text, self._worn(image))

    def _text(self, script: str) -> str:
        rng, words = self._rng, self._words[script]
        if script in _UNSPACED:
            return "".join(rng.choices(words, k=rng.randint(2, 6)))
        found = []
        for _ in range(rng.randint(1, 5)):
            kind = rng.random()
            word = rng.choice(_BESIDE if kind < 0.1 else words)
            if 0.1 <= kind < 0.17:
                word = rng.choice(
                    [w for w in rng.choices(self._words["LATIN"], k=9) if w.isascii()]
                )
            if script in _CASED:
                word = rng.choice([word] * 13 + [word.title()] * 4 + [word.upper()] * 3)
            found.append(rng.choice(_MARKS).format(word))
        return " ".join(found)

    def _colours(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        dark, light = self._rng.randint(0, 75), self._rng.randint(185, 255)
        pair = (dark, light) if self._rng.random() < 0.7 else (light, dark)
        ink, paper = (
            tuple(min(255, max(0, grey + self._rng.randint(-25, 25))) for _ in range(3))
            for grey in pair
        )
        return ink, paper

    def _margins(self, height: int) -> tuple[int, int, int, int]:
        above, below = (int(height * self._rng.uniform(0, 0.22)) for _ in range(2))
        left, right = (int(height * self._rng.uniform(0.02, 0.35)) for _ in range(2))
        return above, below, left, right

    def _plain(self, text: str, script: str) -> Image.Image:
        size = self._rng.choice([12, 13, 14, 15, 16, 18, 20, 24, 28, 32, 40])
        font = ImageFont.truetype(self._rng.choice(self._fonts[script]), size)
        x0, y0, x1, y1 = (int(side) for side in font.getbbox(text))
        above, below, left, right = self._margins(y1 - y0)
        ink, paper = self._colours()
        image = Image.new("RGB", (x1 - x0 + left + right, y1 - y0 + above + below), paper)
        ImageDraw.Draw(image).text((left - x0, above - y0), text, ink, font)
        return image

    def _shaped(self, text: str) -> Image.Image | None:
        import pymupdf

        size = self._rng.choice([12, 14, 16, 18, 22, 28])
        style = f"* {{font-family: {self._rng.choice(['serif', 'sans-serif'])}; font-size: {size}px"
        with pymupdf.open() as document:
            page = document.new_page(width=40 + len(text) * size * 1.3, height=size * 4)
            page.insert_htmlbox(_inside(page.rect), f"<p>{text}</p>", css=style + "}")
            drawn = page.get_pixmap(dpi=self._rng.choice([72, 96, 120]), colorspace="gray")
        grey = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width)
        rows, columns = np.where(grey < 200)
        if not len(rows):
            return None
        grey = grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        above, below, left, right = self._margins(len(grey))
        grey = np.pad(grey, ((above, below), (left, right)), constant_values=255)
        share = grey[:, :, None] / np.float32(255)
        ink, paper = (np.array(colour, np.float32) for colour in self._colours())
        return Image.fromarray((share * paper + (1 - share) * ink).astype(np.uint8))

    def _worn(self, image: Image.Image) -> Pixels:
        """Blurred, small, as JPEG or with noise, as some pictures are."""
        rng = self._rng
        if rng.random() < 0.35:
            image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.9)))
        if rng.random() < 0.3 and image.height > 30:
            share = rng.uniform(0.5, 0.9)
            size = int(image.width * share), int(image.height * share)
            image = image.resize(size, Image.Resampling.BILINEAR)
        if rng.random() < 0.3:
            data = io.BytesIO()
            image.save(data, "JPEG", quality=rng.randint(35, 85))
            image = Image.open(data).convert("RGB")
        pixels = np.asarray(image, np.float32)
        if rng.random() < 0.3:
            noise = np.random.default_rng(rng.randint(0, 10**9))
            pixels = pixels + noise.normal(0, rng.uniform(2, 10), pixels.shape).astype(np.float32)
        return np.ascontiguousarray(np.clip(pixels, 0, 255).astype(np.uint8)[:, :, ::-1])
