"""When a photograph was taken, and with what, by what it says itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from indexer.reading.chunking import units_of
from indexer.reading.extract.base import ExtractOptions
from indexer.reading.extract.dates import moment, moment_of_name
from indexer.reading.extract.picture import extract_picture

_ZONED = dt.datetime(2019, 7, 4, 12, 15, tzinfo=dt.timezone(dt.timedelta(hours=2))).timestamp()
_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 {attribute}>{element}</rdf:Description></rdf:RDF></x:xmpmeta>"""
_TAKEN = 'exif:DateTimeOriginal="2019-07-04T12:15:00.50+02:00" xmp:CreateDate="2022-01-01"'


def local(*parts: int) -> float:
    return dt.datetime(*parts).timestamp()  # type: ignore[arg-type]


@pytest.fixture
def options(tmp_path: Path) -> ExtractOptions:
    (tmp_path / "scratch").mkdir()
    return ExtractOptions(str(tmp_path / "scratch"), ocr=False, thumbs=False)


def picture() -> Image.Image:
    return Image.effect_noise((64, 48), 80).convert("RGB")


def exif_of(**tags: str) -> Image.Exif:
    """EXIF with what is given: tags of the picture, and of the part that cameras write."""
    numbers = {"make": 0x010F, "model": 0x0110, "changed": 0x0132}
    own = {"original": 0x9003, "digitised": 0x9004, "offset": 0x9011, "lens": 0xA434}
    exif = Image.Exif()
    for name, value in tags.items():
        if name in numbers:
            exif[numbers[name]] = value
        else:
            exif.get_ifd(0x8769)[own[name]] = value
    return exif


def facts(path: Path, options: ExtractOptions) -> dict[str, object]:
    return {k: v for k, v in extract_picture(path, options).attributes.items() if v is not None}


def test_what_people_wrote_of_it(tmp_path: Path, options: ExtractOptions) -> None:
    exif = exif_of()
    exif[0x010E], exif[0x9C9E] = "OLYMPUS DIGITAL CAMERA", "Opa;Garten\0".encode("utf-16-le")
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "Grüße vom Brocken".encode("utf-16-be")
    element = (
        '<dc:description xmlns:dc="d"><rdf:Alt><rdf:li>On the pier</rdf:li></rdf:Alt>'
        '</dc:description><dc:subject xmlns:dc="d"><rdf:Bag><rdf:li>gulls</rdf:li>'
        "<rdf:li>Whitby</rdf:li></rdf:Bag></dc:subject>"
    )
    xmp = _XMP.format(attribute='xmlns:p="p" p:Headline="Storm"', element=element)
    picture().save(tmp_path / "a.jpg", exif=exif, xmp=xmp.encode())
    said = PngImagePlugin.PngInfo()
    said.add_text("parameters", "a lighthouse in oil")
    picture().save(tmp_path / "b.png", pnginfo=said)
    [jpeg], [png] = (extract_picture(tmp_path / n, options).parts for n in ("a.jpg", "b.png"))
    assert set(jpeg.text.split("\n")) == {
        "Grüße vom Brocken", "Opa;Garten", "Storm", "On the pier", "gulls, Whitby",
    }  # fmt: skip
    assert png.text == "a lighthouse in oil"


def test_exif_comes_before_xmp_and_the_name(tmp_path: Path, options: ExtractOptions) -> None:
    path = tmp_path / "IMG_20210101_000000.jpg"
    exif = exif_of(original="2019:07:04 12:15:00", offset="+02:00", changed="2024:01:01 00:00:00")
    picture().save(path, exif=exif)
    path.with_suffix(".xmp").write_text(_XMP.format(attribute='xmp:CreateDate="2020"', element=""))
    assert facts(path, options)["taken"] == _ZONED


@pytest.mark.parametrize("beside", ["IMG_20210101_000000.xmp", "IMG_20210101_000000.jpg.xmp"])
def test_xmp_beside_comes_before_the_name(
    tmp_path: Path, options: ExtractOptions, beside: str
) -> None:
    path = tmp_path / "IMG_20210101_000000.jpg"
    picture().save(path, exif=exif_of(changed="2024:01:01 00:00:00"))
    (tmp_path / beside).write_text(_XMP.format(attribute=_TAKEN, element=""))
    assert facts(path, options)["taken"] == _ZONED


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_xmp_inside(tmp_path: Path, options: ExtractOptions, ending: str) -> None:
    path = tmp_path / f"holiday.{ending}"
    element = "<exif:DateTimeOriginal>2019-07-04T12:15:00+02:00</exif:DateTimeOriginal>"
    xmp = _XMP.format(attribute="", element=element)
    if ending == "png":
        said = PngImagePlugin.PngInfo()
        said.add_itxt("XML:com.adobe.xmp", xmp)
        picture().save(path, pnginfo=said)
    elif ending == "tif":
        picture().save(path, tiffinfo={700: xmp.encode()})
    else:
        picture().save(path, xmp=xmp.encode())
    assert facts(path, options)["taken"] == _ZONED


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("IMG_20190704_121500", local(2019, 7, 4, 12, 15)),
        ("IMG_20190704_121500123", local(2019, 7, 4, 12, 15)),
        ("VID_20190704_121500_HDR", local(2019, 7, 4, 12, 15)),
        ("PXL_20190704_101500123", _ZONED),  # in UTC
        ("PXL_20190704_101500123.MP", _ZONED),
        ("2019-07-04 12.15.00", local(2019, 7, 4, 12, 15)),
        ("2019-07-04 12.15.00-1", local(2019, 7, 4, 12, 15)),
        ("IMG-20190704-WA0001", local(2019, 7, 4, 12)),
        ("WhatsApp Image 2019-07-04 at 12.15.00", local(2019, 7, 4, 12, 15)),
        ("WhatsApp Image 2019-07-04 at 1.15.00 PM (1)", local(2019, 7, 4, 13, 15)),
        ("Screenshot_20190704-121500_Chrome", local(2019, 7, 4, 12, 15)),
        ("Screenshot from 2019-07-04 12-15-00", local(2019, 7, 4, 12, 15)),
        ("Screen Shot 2019-07-04 at 12.15.00 AM", local(2019, 7, 4, 0, 15)),
        ("Bildschirmfoto 2019-07-04 um 12.15.00", local(2019, 7, 4, 12, 15)),
        ("signal-2019-07-04-121500", local(2019, 7, 4, 12, 15)),
        ("20190704121500", local(2019, 7, 4, 12, 15)),
        ("2019_07_04 beach", local(2019, 7, 4, 12)),
        ("2019-07-04 3 apples", local(2019, 7, 4, 12)),
        ("FB_IMG_1562235300000", 1562235300.0),
    ],
)
def test_dates_in_names(name: str, when: float) -> None:
    assert moment_of_name(name) == when


@pytest.mark.parametrize(
    "name",
    [
        "DSC_0001", "IMG_4711", "chart 2019", "2019-20 season", "20191399", "120190704123",
        "order 201907041", "30190704", "2999-01-01", "2019-07.04", "2019-02-30", "999-12-345678",
    ],
)  # fmt: skip
def test_what_is_no_date_in_a_name(name: str) -> None:
    assert moment_of_name(name) is None


@pytest.mark.parametrize("text", ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "soon", "2019"])
def test_what_cameras_write_without_a_clock_is_no_date(text: str) -> None:
    assert moment(text) is None


def test_the_name_is_the_last_resort(tmp_path: Path, options: ExtractOptions) -> None:
    path = tmp_path / "IMG-20190704-WA0001.jpg"
    picture().save(path, exif=exif_of(original="0000:00:00 00:00:00"))
    assert facts(path, options)["taken"] == local(2019, 7, 4, 12)
    plain = tmp_path / "beach.png"
    picture().save(plain)
    assert "taken" not in facts(plain, options)


def test_damaged_xmp_loses_nothing_else(tmp_path: Path, options: ExtractOptions) -> None:
    path = tmp_path / "IMG_20190704_121500.jpg"
    picture().save(path, xmp=b"\xff\xfe<x:xmpmeta <<<")
    path.with_suffix(".xmp").write_bytes(b"\0" * 100)
    assert facts(path, options)["taken"] == local(2019, 7, 4, 12, 15)


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Canon", "Canon EOS 5D Mark III", "Canon EOS 5D Mark III"),
        ("Apple", "iPhone 12 mini", "Apple iPhone 12 mini"),
        ("Google", "Pixel 7", "Google Pixel 7"),
        ("OLYMPUS IMAGING CORP.  ", "E-M10", "OLYMPUS E-M10"),
        ("SONY", "", "SONY"),
        ("", "Pixel 7\0\0", "Pixel 7"),
        ("", "", None),
    ],
)
def test_the_camera_in_the_fewest_words(
    tmp_path: Path, options: ExtractOptions, make: str, model: str, camera: str | None
) -> None:
    path = tmp_path / "a.jpg"
    picture().save(path, exif=exif_of(make=make, model=model, lens="EF 50mm macro"))
    read = facts(path, options)
    assert read.get("camera") == camera
    assert read["lens"] == "EF 50mm macro"


def gps_of(latitude: float, longitude: float) -> Image.Exif:
    exif = Image.Exif()
    for number, value, sides in ((1, latitude, "SN"), (3, longitude, "WE")):
        minutes, seconds = divmod(abs(value) * 3600, 60)
        exif.get_ifd(0x8825)[number] = sides[value >= 0]
        exif.get_ifd(0x8825)[number + 1] = (minutes // 60, minutes % 60, round(seconds, 2))
    return exif


@pytest.mark.parametrize(
    ("latitude", "longitude", "places"),
    [
        (38.7139, -9.1394, {"Lisbon", "Portugal"}),
        (-33.8568, 151.2153, {"Sydney", "New South Wales", "Australia"}),
        (40.7484, -73.9857, {"New York City", "United States"}),
        (66.3, -179.2, {"Egvekinot", "Chukotka"}),
        (0.0, -30.0, set()),  # at sea
        (0.0, 0.0, set()),  # without a fix
    ],
)
def test_coordinates_become_names(
    tmp_path: Path, options: ExtractOptions, latitude: float, longitude: float, places: set[str]
) -> None:
    path = tmp_path / "IMG_0001.jpg"
    picture().save(path, exif=gps_of(latitude, longitude))
    read = extract_picture(path, options)
    assert places <= set(read.places)
    assert bool(places) == bool(read.places)
    assert read.attributes["place"] == ", ".join(read.places)
    (unit,) = units_of(read, 1, str(path), str(tmp_path))
    assert all(name in unit.context for name in places), "it is found by them"


@pytest.mark.parametrize("value", [(38.0, 42.0), (), (999.0, 0.0, 0.0)])
def test_damaged_coordinates_name_nothing(
    tmp_path: Path, options: ExtractOptions, value: object
) -> None:
    exif = gps_of(38.7139, -9.1394)
    exif.get_ifd(0x8825)[2] = value
    path = tmp_path / "IMG_0001.jpg"
    picture().save(path, exif=exif)
    assert extract_picture(path, options).places == []
