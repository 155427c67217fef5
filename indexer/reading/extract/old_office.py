"""Documents of older programs and of Apple's, which LibreOffice carries over to forms that are read
here; where it can't, the preview that Apple's programs put into theirs is read."""

from __future__ import annotations

import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.reading.extract import libreoffice
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor
from indexer.reading.extract.binary_sheets import shown
from indexer.reading.extract.packages import package
from indexer.reading.extract.rows import spreadsheet
from indexer.reading.extract.rtf import extract_rtf, is_rtf
from indexer.reading.extract.sheets import extract_xlsx
from indexer.reading.extract.slides import extract_pptx
from indexer.reading.extract.web import extract_html, looks_like_html
from indexer.reading.extract.word import extract_docx

_READERS = {"docx": extract_docx, "pptx": extract_pptx, "xlsx": extract_xlsx}
_FORMS = {
    **dict.fromkeys(("doc", "dot", "wps", "wpd", "sxw", "pages"), "docx"),
    **dict.fromkeys(("ppt", "pps", "pot", "sxi", "key"), "pptx"),
    **dict.fromkeys(("numbers", "sxc"), "xlsx"),
}
_APPLE = ("pages", "numbers", "key")
#: Best first; where there is no document, there is a picture of the first page.
_PREVIEWS = ("QuickLook/Preview.pdf", "preview.jpg", "QuickLook/Thumbnail.jpg")
_MOST_BYTES = 100_000_000


def extract_old(path: Path, options: ExtractOptions) -> Extraction:
    """As what LibreOffice makes of it; files that only go by such a name as what they are."""
    with path.open("rb") as file:
        head = file.read(4096)
    form = _FORMS[path.suffix[1:].lower()]
    if is_rtf(head):
        return extract_rtf(path, options)
    if looks_like_html(head):
        return extract_html(path, options)
    if head.startswith(b"PK\x03\x04") and path.suffix.lower() in (".doc", ".ppt"):
        return _READERS[form](path, options)
    if _is_locked(path):
        raise ExtractError("encrypted")
    return _carried_over(path, form, options)


def extract_apple(path: Path, options: ExtractOptions) -> Extraction:
    """The same, else the preview in it."""
    try:
        read = _carried_over(path, _FORMS[path.suffix[1:].lower()], options)
        if read.parts:
            return read
        error = ExtractError("no-text")  # of newer forms it makes empty documents
    except ExtractError as failed:
        error = failed
    if (preview := _preview(path, options)) is None:
        raise error
    why = f" {libreoffice.NAME} is not installed." * (error.reason == "needs-program")
    preview.notes.append(f"Only the preview in it is read.{why}")
    return preview


def extract_numbers(path: Path, options: ExtractOptions) -> Extraction:
    """One part a table; what the library does not read as other documents of Apple's."""
    import numbers_parser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a newer program wrote it
            document = numbers_parser.Document(str(path))
            tables = (
                (" › ".join((sheet.name, table.name)), _cells(table))
                for sheet in document.sheets
                for table in sheet.tables
            )
            read = spreadsheet(tables, "", options.characters)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - it fails in every way at what it does not know
        return extract_apple(path, options)
    return read if read.parts else extract_apple(path, options)


def _cells(table: Any) -> Iterator[list[str]]:
    for row in table.iter_rows(values_only=True):
        yield ["" if value is None else shown(value) for value in row]


def _carried_over(path: Path, form: str, options: ExtractOptions) -> Extraction:
    with tempfile.TemporaryDirectory(dir=options.scratch or None) as folder:
        # A copy: it locks what it opens by a file beside that, and follows links to its neighbours.
        own = shutil.copyfile(path, Path(folder, f"document{path.suffix.lower()}"))
        made = libreoffice.converted(own, form, Path(folder))
        return _READERS[form](made, options)


def _preview(path: Path, options: ExtractOptions) -> Extraction | None:
    """What the program drew for the file manager."""
    if options.inner is None:
        return None
    with package(path) as archive, tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for name in _PREVIEWS:
            with suppress(KeyError, zipfile.BadZipFile):
                if archive.getinfo(name).file_size > _MOST_BYTES:
                    continue
                shown = Path(folder, Path(name).name)
                shown.write_bytes(archive.read(name))
                read = options.inner(shown, options)
                return Extraction("note", read.parts, attributes=read.attributes, notes=read.notes)
    return None


def _is_locked(path: Path) -> bool:
    """Whether a document of Word or PowerPoint says that it takes a password."""
    import olefile

    try:
        with olefile.OleFileIO(str(path)) as file:
            if file.exists("WordDocument"):
                return bool(file.openstream("WordDocument").read(12)[11] & 1)
            return bool(file.exists("EncryptedSummary") or file.exists("EncryptedPackage"))
    except Exception:  # noqa: BLE001 - damaged, or no such container: LibreOffice says what it is
        return False


def _row(
    name: str, extract: Callable[[Path, ExtractOptions], Extraction], extensions: str, reads: str
) -> Extractor:
    return Extractor(
        name,
        1,
        frozenset(extensions.split()),
        "note",
        extract,
        helped_by=libreoffice.installed,
        reads=reads,
    )


EXTRACTORS = (
    _row(
        "old-office",
        extract_old,
        " ".join(ending for ending in _FORMS if ending not in _APPLE),
        "what an installed LibreOffice makes of them: text, tables, slides, notes",
    ),
    _row(
        "apple-office",
        extract_apple,
        "pages key",
        "the same; else the preview in them",
    ),
    _row("numbers", extract_numbers, "numbers", "every cell of every table with its column's head"),
)
