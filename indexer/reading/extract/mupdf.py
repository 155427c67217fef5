"""Opening documents with PyMuPDF, its messages kept off the worker's pipes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError

#: PyMuPDF loads them where it finds them, with models that guess a page's layout. Nothing asks for
#: these, and they cost each reader 1.5 s of a core and 89 MB (2.0).
_UNWANTED = ("pymupdf.layout", "pymupdf4llm")


def quiet_mupdf() -> Any:
    """PyMuPDF, keeping its messages off the worker's stdout and stderr."""
    for name in _UNWANTED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    return pymupdf


@contextmanager
def opened_document(path: Path) -> Iterator[Any]:
    """A document PyMuPDF reads; ExtractError when it is encrypted, broken or can't be opened."""
    pymupdf = quiet_mupdf()
    try:
        with pymupdf.open(path) as document:
            if document.needs_pass and not document.authenticate(""):
                raise ExtractError("encrypted")
            if len(document) == 0:
                raise ExtractError("broken", "it has no pages")
            yield document
    except ExtractError:
        raise
    except PermissionError as error:
        raise ExtractError("unreadable", str(error.strerror)) from error
    except MemoryError as error:
        raise ExtractError("too-complex", "it needs too much memory") from error
    except Exception as error:
        raise ExtractError("broken", f"{type(error).__name__}: {error}"[:200]) from error
