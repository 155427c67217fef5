"""Texts in the encodings people's old files are in."""

from __future__ import annotations

import random

import pytest

from indexer.reading.extract.base import ExtractError
from indexer.reading.extract.encodings import clean, decode

GERMAN = "Der Kessel auf dem Ofen hatte schon eine Weile gesungen, als Ada müde zur Tür hereinkam."
POLISH = "Czajnik na kuchence śpiewał już od dłuższej chwili, kiedy zmęczona Ada weszła do środka."
RUSSIAN = "Чайник на плите пел уже довольно долго, когда усталая Ада вошла в дом и закрыла дверь."
GREEK = "Ο βραστήρας στη σόμπα τραγουδούσε ήδη αρκετή ώρα όταν η κουρασμένη Άντα μπήκε στο σπίτι."
JAPANESE = "やかんがストーブの上でしばらく歌っていたとき、疲れたエイダが家に入ってきました。"
CHINESE = "炉子上的水壶已经唱了好一会儿了，这时疲惫的艾达走进了屋子，轻轻关上了门。"
TAIWANESE = "爐子上的水壺已經唱了好一會兒了，這時疲憊的艾達走進了屋子，輕輕關上了門。"
KOREAN = "난로 위의 주전자가 한참 노래하고 있을 때 지친 에이다가 집으로 들어와 문을 닫았다."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"), (GERMAN, "iso-8859-1"), (GERMAN, "cp850"),
        (POLISH, "cp1250"), (POLISH, "iso-8859-2"),
        (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (RUSSIAN, "cp866"), (RUSSIAN, "iso-8859-5"),
        (GREEK, "iso-8859-7"), (JAPANESE, "shift_jis"), (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"), (CHINESE, "gbk"), (CHINESE, "gb18030"), (TAIWANESE, "big5"),
        (KOREAN, "euc_kr"),
        *((text, encoding) for text in (GERMAN, RUSSIAN, CHINESE)
          for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")),
        (GERMAN, "utf-16-le"), (GERMAN, "utf-16-be"), (RUSSIAN, "utf-16-le"),
        ("plain words only " * 5, "utf-16-le"), ("plain words only " * 5, "utf-32-be"),
    ],
)  # fmt: skip
def test_round_trip(text: str, encoding: str) -> None:
    assert decode(f"{text}\n{text}".encode(encoding)) == f"{text}\n{text}"


@pytest.mark.parametrize(
    "text",
    ["name;ort\nMeier;Köln und Straße", "à la carte: crème brûlée", "It’s a “test” — ok", "Grüße",
     "20 °C", "Preis: 5 € – „gut“", "Ålesund;Tromsø", "¿Qué?", "città è più"],
)  # fmt: skip
def test_a_few_western_letters_are_no_old_encoding(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize("text", ["Łosoś źródło świat", "Zażółć gęślą jaźń"])
def test_what_makes_no_words_in_an_old_encoding_is_of_today(text: str) -> None:
    assert decode(text.encode("cp1250")) == text


def test_all_line_ends_become_one() -> None:
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"


def test_a_declared_encoding_wins() -> None:
    text = '<?xml version="1.0" encoding="koi8-r"?><a>чай</a>'
    assert decode(text.encode("koi8-r")) == text


def test_utf8_with_a_wound_is_still_utf8() -> None:
    assert decode((GERMAN * 3).encode() + b"\xc3") == GERMAN * 3 + "\ufffd"


def test_a_stray_zero_byte_does_not_make_text_binary() -> None:
    assert decode((GERMAN * 30 + "\0" + GERMAN).encode()).startswith(GERMAN)


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 20,
        random.Random(4).randbytes(5000),
        b"\x7fELF\x02\x01\x01" + bytes(500),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + random.Random(5).randbytes(900),
    ],
)
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(ExtractError) as caught:
        decode(data)
    assert caught.value.reason == "binary"


def test_clean_keeps_lengths() -> None:
    assert clean("a\udcffb") == "a\ufffdb"
    assert clean("naïve") == "naïve"
