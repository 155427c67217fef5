"""Which files say the same: a hash of a document's words, whatever their format.

Conservative on purpose: the same words in the same order, numbers with their signs. Anything laxer
(shingles, MinHash) calls two invoices of a template, or a contract and its next version, copies of
one another, and they differ in just what is looked for. Code is told apart by more than its words,
pictures by what is seen, and of a few words every form is full.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from engine.contract.kinds import Kind
from engine.contract.types import Unit

#: What consists of its words.
_KINDS: frozenset[Kind] = frozenset({"note", "pdf"})
FEWEST_WORDS = 50
_WORD = re.compile(r"(?<!\w)[-+−]?\d(?:[\w.,:/]*\w)?|\w+")


def text_hash(kind: Kind, units: Sequence[Unit]) -> str | None:
    """The same for documents of the same words; None where words do not tell one from others.

    Spaces, marks, case and the forms of characters do not count.
    """
    if kind not in _KINDS or any(unit.kind not in _KINDS for unit in units):
        return None
    text = " ".join(unit.text[unit.overlap :] for unit in units)
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if len(words) < FEWEST_WORDS:
        return None
    return hashlib.blake2b("\n".join(words).encode("utf-8", "replace"), digest_size=16).hexdigest()
