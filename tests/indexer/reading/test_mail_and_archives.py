"""Messages, mailboxes and archives: what lies in a file becomes places of it."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import sys
import tarfile
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path

import pytest

from indexer.reading.extract import archives, members, pick
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from indexer.reading.extract.tnef import tnef_contents, unpacked_rtf
from indexer.reading.worker import read_file

needs_libarchive = pytest.mark.skipif(not archives._is_there(), reason="needs libarchive")
#: A note in 7z under a password, then its name, too.
LOCKED = base64.b64decode(
    "N3q8ryccAARi96SNEAAAAAAAAABqAAAAAAAAACF1+KolZ2umuYr29ykMVcGHI+V6AQQGAAEJEAAHCwEAAiQG8QcB"
    "ElMPB1V8lgnOGa0rBe1JRy7WDyEhAQABAAwMCAAICgGYCm4YAAAFARkBABETAG4AbwB0AGUAcwAuAG0AZAAAABkA"
    "FAoBAKh4Il14f90BFQYBACCApIEAAA=="
)
LOCKED_WITH_NAMES = base64.b64decode(
    "N3q8ryccAAT9g4pUgAAAAAAAAAAuAAAAAAAAAE+VN5PVpPh2526L5ZBdYQidGT8WvlePJw+elbuA520bG44+zNfJ"
    "teGGJqt2DyBIjkeSCc2Gld9sLxSEzjEdxlF3QEJ/mkr9IuIqh8tgXlscXdOZZlJD8Cizm2szZH8GBwW9gUrbnPtZ"
    "C3Hlsrh6+93n3E2XvK2PS00oPPWHXprMU8+hzxcGEAEJcAAHCwEAASQG8QcBElMPiweXcP7AiqBuKA7qPHI2uQxq"
    "CgFv0p+tAAA="
)


def read(path: Path, data: bytes, **wanted: object) -> Extraction:
    path.write_bytes(data)
    options = {"scratch": str(path.parent), "inner": read_file, "ocr": False, **wanted}
    return read_file(path, ExtractOptions(**options))  # type: ignore[arg-type]


def places(extraction: Extraction) -> dict[str | None, str]:
    return {part.symbol: part.text for part in extraction.parts}


def mail(subject: str, body: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "Anna <a@example.org>"
    for name, value in headers.items():
        message[name] = value
    message.set_content(body)
    return message


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_attachments_and_forwarded_messages_are_places(tmp_path: Path) -> None:
    outer = mail("Papers", "See below.")
    outer.add_attachment("the estimate is 900", filename="estimate.txt")
    outer.add_attachment(
        zipped({"deep/note.md": b"# Deep"}), maintype="application", subtype="zip",
        filename="more.zip",
    )  # fmt: skip
    outer.add_attachment(mail("Inner", "The crag survey."))
    extraction = read(tmp_path / "a.eml", bytes(outer))
    found = places(extraction)
    assert "Attached: estimate.txt, more.zip" in found[None]
    assert found["estimate.txt"] == "the estimate is 900"
    assert found["more.zip › deep/note.md"] == "# Deep"
    assert found["Inner"].endswith("The crag survey.")
    assert extraction.title == "Papers"


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("Please enable HTML to view this.", "Coach B leaves at 10:42 from platform four"),
        ("Coach B leaves at 10:42 from platform 4", "Coach B leaves at 10:42 from platform 4"),
        ("", "Coach B leaves at 10:42 from platform four"),
    ],
)
def test_html_behind_a_stub(plain: str, expected: str, tmp_path: Path) -> None:
    message = mail("Ticket", plain)
    message.add_alternative(
        "<p>Coach B leaves at 10:42 from platform <b>four</b></p>", subtype="html"
    )
    [part] = read(tmp_path / "a.eml", bytes(message)).parts
    assert part.text.partition("\n\n")[2].strip() == expected


def test_why_a_message_did_not_arrive(tmp_path: Path) -> None:
    report = (
        b"Subject: returned\nFrom: a@b\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/report; boundary=Q\n\n--Q\n"
        b"Content-Type: message/delivery-status\n\n"
        b"Final-Recipient: rfc822; yaffle@example.org\nStatus: 5.1.1\n\n--Q--\n"
    )
    assert "yaffle@example.org\nStatus: 5.1.1" in places(read(tmp_path / "a.eml", report))[None]


def test_a_signature_is_no_attachment(tmp_path: Path) -> None:
    signed = mail("Signed", "The key hangs behind the stove.")
    signed.add_attachment(
        b"x", maintype="application", subtype="pkcs7-signature", filename="smime.p7s"
    )
    extraction = read(tmp_path / "a.eml", bytes(signed))
    assert "Attached" not in extraction.parts[0].text
    assert extraction.notes == []


def test_a_quotation_counts_once_in_a_mailbox(tmp_path: Path) -> None:
    said = "".join(f"Line {n} of the offer.\n" for n in range(8))
    quoted = "".join(f"> {line}\n" for line in said.splitlines())
    foreign = "".join(f"> Line {n} from elsewhere.\n" for n in range(8))
    box = b"".join(
        b"From a@example.org Mon Mar  2 10:00:00 2026\n" + bytes(mail(subject, body)) + b"\n"
        for subject, body in (
            ("Offer", said),
            ("Re: Offer", quoted + "\nAgreed.\n"),
            ("Re: Other", foreign + "\nNo.\n"),
        )
    )
    texts = [part.text for part in read(tmp_path / "Inbox", box).parts]
    assert [text.count("of the offer") for text in texts] == [8, 0, 0, 0]
    assert texts[1].endswith("Agreed.")
    assert texts[3].splitlines()[0] == "Line 0 from elsewhere."


def test_mailboxes_of_every_kind(tmp_path: Path) -> None:
    body = "Some text.\n\nFrom here it takes an hour.\n\n>From the start.\n"
    box = (
        b"From - Mon Mar  2 10:00:00 2026\nSubject: one\nFrom: a\n\n" + body.encode()
        + b"\nFrom - Mon Mar  2 11:00:00 2026\nSubject: two\n\nSecond.\n"
    )  # fmt: skip
    first, second = read(tmp_path / "Sent", box).parts
    assert first.text.endswith("Some text.\n\nFrom here it takes an hour.\n\nFrom the start.")
    assert second.heading == ("two",)
    maildir = read(tmp_path / "179.M12P34.host:2,S", bytes(mail("Stay", "x", To="b@example.org")))
    assert maildir.title == "Stay"
    message = bytes(mail("Apple", "A word."))
    apple = b"%d\n" % len(message) + message + b'<?xml version="1.0"?><plist/>'
    assert read(tmp_path / "1.emlx", apple).parts[0].text.endswith("A word.")
    page = EmailMessage()
    page["Subject"] = "Saved"
    page.set_content("<title>Ferries</title><p>Rebook at the <i>Ul</i>lock desk", subtype="html")
    saved = read(tmp_path / "a.mht", bytes(page))
    assert (saved.title, saved.parts[0].text) == ("Ferries", "Rebook at the Ullock desk")


def attribute(level: int, identity: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, identity, len(value)) + value + b"\0\0"


def test_winmail_dat(tmp_path: Path) -> None:
    text = "Guten Tag".encode("utf-16-le")
    words = struct.pack("<IHHII", 1, 0x1F, 0x1000, 1, len(text)) + text + b"\0\0"
    package = struct.pack("<IH", 0x223E9F78, 1)
    package += attribute(1, 0x00069003, words)
    package += attribute(2, 0x00069002, b"") + attribute(2, 0x00018010, b"plan.txt\0")
    package += attribute(2, 0x0006800F, b"the garden plan")
    assert tnef_contents(package) == ("Guten Tag", [("plan.txt", b"the garden plan")])
    assert tnef_contents(package[:-30])[0] == "Guten Tag"
    outer = mail("Outlook", "")
    outer.add_attachment(package, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    found = places(read(tmp_path / "a.eml", bytes(outer)))
    assert found["plan.txt"] == "the garden plan"
    assert found[None].endswith("Guten Tag")
    # The example that the format's description gives.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af86"
        "82063680 0a0c0 7365743020".replace(" ", "")
    )
    assert unpacked_rtf(packed).startswith(b"{\\rtf1\\ansi\\ansicpg1252")


def test_members_are_places_of_their_archive(tmp_path: Path) -> None:
    inner = zipped({"c.txt": b"third floor"})
    files = {
        "notes/a.md": b"# Attic\ntrunk",
        "b/one.zip": zipped({"two.zip": zipped({"three.zip": inner, "d.txt": b"second"})}),
        "../../etc/passwd": b"root",
        "id_rsa": b"secret",
        "node_modules/x.js": b"left out",
        "picture.bin": b"\0\1",
        "bad.pdf": b"%PDF-1.4 nothing",
    }
    extraction = read(tmp_path / "a.zip", zipped(files))
    found = places(extraction)
    assert found["notes/a.md"] == "# Attic\ntrunk"
    assert found["b/one.zip › two.zip › d.txt"] == "second"
    assert set(files) <= set((found[None] or "").split("\n"))
    assert not any("third floor" in text for text in found.values())
    assert not any("secret" in text or "left out" in text for text in found.values())
    notes = "; ".join(extraction.notes)
    assert "../../etc/passwd: Its name leads out of the archive." in notes
    assert "id_rsa: Its name says that it holds secrets." in notes
    assert "bad.pdf: The file is damaged" in notes
    assert extraction.kind == "archive"


def tarred(files: dict[str, bytes], mode: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tgz", "w:gz"), ("a.tar.gz", "w:gz"), ("a.tar.bz2", "w:bz2"),
     ("a.txz", "w:xz")],
)  # fmt: skip
def test_tar_with_its_compressions(name: str, mode: str, tmp_path: Path) -> None:
    data = tarred({"x/one.txt": b"first", "two.py": b"def second(): pass"}, mode)
    found = places(read(tmp_path / name, data))
    assert found["x/one.txt"] == "first"
    assert found["two.py › second"] == "def second(): pass"


def test_a_single_compressed_file_and_a_damaged_tar(tmp_path: Path) -> None:
    found = places(read(tmp_path / "system.log.gz", gzip.compress(b"kernel panic")))
    assert found["system.log"] == "kernel panic"
    whole = tarred({"one.txt": b"first" * 200, "two.txt": b"second" * 200}, "w")
    cut = read(tmp_path / "b.tar", whole[: 512 + 1024 + 512 + 300])
    assert "first" in places(cut)["one.txt"]
    assert cut.notes


def packed(files: dict[str, bytes], form: str, compression: str | None = None) -> bytes:
    """As libarchive packs them."""
    assert archives.libarchive()
    import libarchive

    data = bytearray()
    with libarchive.custom_writer(
        lambda block: data.extend(block) or len(block), form, compression
    ) as archive:
        for name, content in files.items():
            archive.add_file_from_memory(name, len(content), content)
    return bytes(data)


def rar(files: dict[str, bytes], *, solid: bool = False) -> bytes:
    """Not compressed, in the older form."""

    def block(kind: int, flags: int, body: bytes, data: bytes = b"") -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + data

    out = b"Rar!\x1a\x07\x00" + block(0x73, 8 * solid, bytes(6))
    for name, data in files.items():
        size, check = len(data), zlib.crc32(data)
        body = struct.pack("<IIBIIBBHI", size, size, 3, check, 0, 20, 0x30, len(name), 0o100644)
        out += block(0x74, 0x8000 | 16 * (solid and name != "a.txt"), body + name.encode(), data)
    return out + block(0x7B, 0, b"")


@needs_libarchive
def test_archives_that_the_systems_library_reads(tmp_path: Path) -> None:
    files = {"notes/a.md": b"# Attic\ntrunk", "Größe.txt": b"44", "../b.txt": b"out"}
    files["huge.txt"] = bytes(60_000_000)
    extraction = read(tmp_path / "a.7z", packed(files, "7zip"))
    found = places(extraction)
    assert (found["notes/a.md"], found["Größe.txt"]) == ("# Attic\ntrunk", "44")
    assert extraction.kind == "archive"
    assert extraction.notes == [
        "../b.txt: Its name leads out of the archive.",
        "huge.txt: It is larger than 50 MB, the most of a file in a file.",
    ]
    inside = packed({"a.7z": packed({"b.txt": b"deep"}, "7zip")}, "gnutar", "zstd")
    assert places(read(tmp_path / "b.tar.zst", inside))["a.7z › b.txt"] == "deep"
    single = packed({"x": b"kernel panic"}, "raw", "zstd")
    assert places(read(tmp_path / "system.log.zst", single))["system.log"] == "kernel panic"
    old = read(tmp_path / "c.rar", rar({"a.txt": b"first", "b/c.txt": b"second"}))
    assert (places(old)["a.txt"], places(old)["b/c.txt"]) == ("first", "second")


@needs_libarchive
def test_what_the_systems_library_can_not_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rar({"a.txt": b"first" * 200, "b.txt": b"second" * 200})
    cut = read(tmp_path / "a.rar", whole[:1300])
    assert "first" in places(cut)["a.txt"]
    assert cut.notes[-1] == "It is damaged; what stands before the damage is read."
    joined = read(tmp_path / "g.rar", rar({"a.txt": b"first", "b.txt": b"second"}, solid=True))
    assert places(joined)["a.txt"] == "first"
    assert joined.notes == ["What follows is packed in a way that is not read."]
    with pytest.raises(ExtractError) as error:
        read(tmp_path / "b.7z", packed({"a.txt": b"x" * 500}, "7zip")[:60])
    assert error.value.reason == "broken"
    locked = read(tmp_path / "c.7z", LOCKED)
    assert locked.notes == ["notes.md: It is protected by a password."]
    with pytest.raises(ExtractError) as error:
        read(tmp_path / "d.7z", LOCKED_WITH_NAMES)
    assert error.value.reason == "encrypted"
    with monkeypatch.context() as few:
        few.setattr(archives, "_MOST_UNPACKED", 900)
        assert read(tmp_path / "f.rar", whole).notes == [
            "Only the first 1 files in it are indexed."
        ]
    monkeypatch.setattr(archives, "_LIBRARY", "libnothing.so.0")
    monkeypatch.delenv("LIBARCHIVE")
    for name in [name for name in sys.modules if name.split(".")[0] == "libarchive"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ExtractError) as error:
        read(tmp_path / "e.rar", whole)
    assert (error.value.reason, error.value.detail) == ("needs-program", "libarchive")


def test_budgets_and_passwords_are_told(tmp_path: Path) -> None:
    bomb = zipped({"huge.txt": b"0" * 60_000_000, "small.txt": b"small"})
    extraction = read(tmp_path / "a.zip", bomb)
    assert places(extraction)["small.txt"] == "small"
    assert extraction.notes == ["huge.txt: It is larger than 50 MB, the most of a file in a file."]
    many = zipped({f"{n}.txt": b"word" * 100 for n in range(50)})
    few = read(tmp_path / "b.zip", many, member_bytes=4_000)
    assert few.notes == ["10 of 50 files in it are read."]
    locked = bytearray(zipped({"a.txt": b"x"}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert read(tmp_path / "c.zip", bytes(locked)).notes == [
        "a.txt: It is protected by a password."
    ]


def test_what_nobody_looks_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_ENTRIES", 3)
    files = {f"{n}.txt": b"word" for n in range(5)}
    told = "Only the first 3 files in it are indexed."
    assert read(tmp_path / "a.zip", zipped(files)).notes == [told]
    assert read(tmp_path / "a.tar", tarred(files, "w")).notes == [told]
    monkeypatch.setattr(archives, "_MOST_ENTRIES", 5)
    monkeypatch.setattr(archives, "_MOST_UNPACKED", 5)
    start = read(tmp_path / "c.tar", tarred(files, "w"))
    assert start.notes == ["Only the first 2 files in it are indexed."]
    assert places(start)[None] == "0.txt\n1.txt"
    monkeypatch.setattr(members, "_LISTED", 15)
    listed = read(tmp_path / "b.zip", zipped(files))
    assert places(listed)[None] == "0.txt\n1.txt"
    assert listed.notes == ["Only the names of the first 2 files in it are indexed."]
    letter = b"Subject: Ships\n\n" + b"word " * 100
    assert read(tmp_path / "a.eml", letter).notes == []
    assert read(tmp_path / "b.eml", letter, characters=50).notes == [
        "Only the first 50 of 500 characters of a message are indexed."
    ]


def test_names_of_old_zips_are_decoded(tmp_path: Path) -> None:
    data = zipped({"Gr__e.txt": b"x"}).replace(b"Gr__e", "Größe".encode("cp850"))
    listing = places(read(tmp_path / "a.zip", data))[None]
    assert listing.startswith("Gr") and listing.endswith("e.txt")  # noqa: PT018
    utf8 = zipped({"______.txt": b"x"}).replace(b"______", "Жук".encode())
    assert places(read(tmp_path / "b.zip", utf8))[None] == "Жук.txt"


def test_calendars_and_contacts(tmp_path: Path) -> None:
    calendar = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nEND:VTIMEZONE\r\n"
        b"BEGIN:VEVENT\r\nDTSTART:20260305T140000Z\r\nSUMMARY:Review at Fil\r\n ey\\, floor 2\r\n"
        b'ATTENDEE;CN="Doe: Jane":mailto:j@example.org\r\nEND:VEVENT\r\n'
        b"BEGIN:VEVENT\r\nSUMMARY:Second\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    first, second = read(tmp_path / "a.ics", calendar).parts
    assert first.heading == ("Review at Filey, floor 2",)
    assert first.text.split("\n") == [
        "DTSTART: 2026-03-05 14:00 UTC",
        "SUMMARY: Review at Filey, floor 2",
        "ATTENDEE: Doe: Jane mailto:j@example.org",
    ]
    assert second.text == "SUMMARY: Second"
    card = (
        b"BEGIN:VCARD\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BC=\nller;J=C3=BCrgen\n"
        b"PHOTO;ENCODING=b:/9j/4AAQ\n /9j/\nTEL:+49 30 1\nEND:VCARD\n"
    )
    extraction = read(tmp_path / "a.vcf", card)
    assert extraction.parts[0].text == "N: Müller Jürgen\nTEL: +49 30 1"
    assert extraction.title == "Müller Jürgen"


def test_names_tell_archives() -> None:
    assert pick(Path("a.jar"), b"") == pick(Path("a.zip"), b"")
