"""Pictures of every mode and format, their dates and turns, and the ones that are refused."""

from __future__ import annotations

import datetime
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.reading.extract import render
from indexer.reading.extract.base import ExtractError, ExtractOptions
from indexer.reading.extract.picture import EXTRACTORS, extract_picture, extract_svg
from indexer.reading.extract.picture_class import classify


@pytest.fixture
def options(tmp_path: Path) -> ExtractOptions:
    (tmp_path / "scratch").mkdir()
    return ExtractOptions(str(tmp_path / "scratch"), ocr=False)


def label(text: str, mode: str = "RGB", size: tuple[int, int] = (400, 120)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 30), text, "black", ImageFont.load_default(40))
    return image.convert(mode)


_FORMATS = ["png", "jpg", "webp", "gif", "bmp", "tif", "avif", "heic", "jp2"]


@pytest.mark.parametrize("suffix", _FORMATS)
def test_formats(suffix: str, tmp_path: Path, options: ExtractOptions) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    path = tmp_path / f"picture.{suffix}"
    label("Hello").save(path)
    read = extract_picture(path, options)
    assert (read.attributes["width"], read.attributes["height"]) == (400, 120)
    assert suffix in EXTRACTORS[0].extensions
    with Image.open(Path(options.scratch) / str(read.parts[0].thumb)) as thumb:
        assert thumb.format == "WEBP"


def test_text_of_a_picture(tmp_path: Path, options: ExtractOptions) -> None:
    label("Quarterly budget").save(tmp_path / "a.png")
    read = extract_picture(tmp_path / "a.png", ExtractOptions(options.scratch))
    assert read.parts[0].text == "Quarterly budget"
    assert len(read.parts[0].words) == 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "CMYK", "YCbCr", "I", "F", "I;16"])
def test_modes_stay_light_where_they_were_light(mode: str) -> None:
    if mode == "I;16":
        levels = np.asarray(label("x", "L")).astype(np.uint16) * 257
        image = Image.fromarray(levels)
    else:
        image = label("x", mode)
    flat = render.flat_rgb(image)
    assert flat.mode == "RGB"
    assert flat.getpixel((390, 110)) == (255, 255, 255)


def test_transparent_picture_is_laid_on_white() -> None:
    image = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    image.putpixel((3, 3), (200, 0, 0, 255))
    flat = render.flat_rgb(image)
    assert flat.getpixel((0, 0)) == (255, 255, 255)
    assert flat.getpixel((3, 3)) == (200, 0, 0)


def test_exif_turn_and_date(tmp_path: Path, options: ExtractOptions) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° to see it upright
    exif.get_ifd(0x8769)[0x9003] = "2023:04:12 10:33:21"
    exif.get_ifd(0x8769)[0x9011] = "+02:00"
    label("Hello").save(tmp_path / "p.jpg", exif=exif)
    read = extract_picture(tmp_path / "p.jpg", options)
    assert (read.attributes["width"], read.attributes["height"]) == (120, 400)
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert (
        read.attributes["taken"]
        == datetime.datetime(2023, 4, 12, 10, 33, 21, tzinfo=zone).timestamp()
    )


def test_pages_of_a_tiff_and_frames_of_an_animation(
    tmp_path: Path, options: ExtractOptions
) -> None:
    reading = ExtractOptions(options.scratch)
    first, second = label("First page"), label("Second page")
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    read = extract_picture(tmp_path / "pages.tif", reading)
    assert [(part.page, part.text) for part in read.parts] == [
        (1, "First page"),
        (2, "Second page"),
    ]
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second], duration=100)
    (part,) = extract_picture(tmp_path / "moving.gif", reading).parts
    assert part.text == "First page\nSecond page"
    assert part.page is None


def test_every_frame_that_differs_is_read(tmp_path: Path, options: ExtractOptions) -> None:
    frames = [label(f"Frame {name}") for name in ("one", "one", "two", "three", "four", "four")]
    frames[0].save(tmp_path / "cast.gif", save_all=True, append_images=frames[1:], duration=100)
    (part,) = extract_picture(tmp_path / "cast.gif", ExtractOptions(options.scratch)).parts
    assert part.text.split("\n") == ["Frame one", "Frame two", "Frame three", "Frame four"]


@pytest.mark.parametrize("colour", ["white", "black"])
def test_print_on_transparency(colour: str, tmp_path: Path, options: ExtractOptions) -> None:
    clear = Image.new("RGBA", (500, 120), (0, 0, 0, 0))
    ImageDraw.Draw(clear).text((20, 30), "Newark castle", colour, ImageFont.load_default(40))
    clear.save(tmp_path / "clear.png")
    (part,) = extract_picture(tmp_path / "clear.png", ExtractOptions(options.scratch)).parts
    assert part.text == "Newark castle"


def test_a_lonely_line_on_several_screens(tmp_path: Path, options: ExtractOptions) -> None:
    wide = Image.new("RGB", (7680, 1440), "white")
    ImageDraw.Draw(wide).text((5000, 700), "harbour office", "black", ImageFont.load_default(18))
    wide.save(tmp_path / "wide.png")
    (part,) = extract_picture(tmp_path / "wide.png", ExtractOptions(options.scratch)).parts
    assert part.text == "harbour office"


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(png(60_000, 60_000), "too-complex"), (b"\x89PNG\r\n\x1a\nnothing", "broken")],
)
def test_refused(data: bytes, reason: str, tmp_path: Path, options: ExtractOptions) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(ExtractError) as caught:
        extract_picture(path, options)
    assert caught.value.reason == reason


def test_half_a_download_shows_what_came(tmp_path: Path, options: ExtractOptions) -> None:
    whole = tmp_path / "whole.jpg"
    Image.effect_noise((600, 600), 80).save(whole)
    half = tmp_path / "half.jpg"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert extract_picture(half, options).attributes["width"] == 600


def test_svg_gives_its_text_and_a_thumbnail(tmp_path: Path, options: ExtractOptions) -> None:
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100">'
    drawing += '<text x="10" y="40">Data flow</text></svg>'
    path = tmp_path / "d.svg"
    path.write_text(drawing, encoding="utf-8")
    read = extract_svg(path, options)
    assert read.parts[0].text == "Data flow"
    assert read.picture == "diagram"
    assert read.parts[0].thumb is not None
    assert render.render(path, 1, 600, tmp_path / "out.png")[0] == pytest.approx(600, abs=2)


def test_screenshot_diagram_photo_and_scan_are_told_apart() -> None:
    noise = np.random.default_rng(5)
    photo = Image.fromarray(noise.normal(120, 40, (400, 600, 3)).clip(0, 255).astype(np.uint8))
    assert classify(photo, camera=False, lines=[]) == "photo"
    screen = Image.new("RGB", (1280, 720), "#f0f0f0")
    draw = ImageDraw.Draw(screen)
    for n in range(20):
        draw.rectangle((40, 30 + 34 * n, 1200, 56 + 34 * n), "white", "#444444")
    rows = [(0.05, 0.05 + 0.045 * n, 0.5, 0.07 + 0.045 * n) for n in range(20)]
    assert classify(screen, camera=False, lines=rows) == "screenshot"
    assert classify(screen, camera=False, lines=None) == "screenshot"
    assert classify(screen, camera=False, lines=[]) == "diagram"
    shaded = screen.copy()
    shaded.paste(photo.crop((0, 0, 200, 150)), (500, 300))
    assert classify(shaded, camera=False, lines=[]) == "photo"
    diagram = Image.new("RGB", (800, 600), "white")
    draw = ImageDraw.Draw(diagram)
    draw.ellipse((200, 200, 400, 330), "#3366cc")
    draw.line((100, 100, 700, 500), "#cc3333", 8)
    assert classify(diagram, camera=False, lines=[(0.3, 0.4, 0.4, 0.43)]) == "diagram"
    scan = noise.normal(245, 4, (1400, 1000, 1)).repeat(3, axis=2)
    scan[100:1300:40, 100:900:7] = 30
    page = Image.fromarray(scan.clip(0, 255).astype(np.uint8))
    full = [(0.1, 0.07 + 0.03 * n, 0.9, 0.085 + 0.03 * n) for n in range(28)]
    assert classify(page, camera=False, lines=full) == "scan"
