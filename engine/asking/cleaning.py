"""What goes into a prompt and what comes out of a model, made text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import regex

#: Controls, what turns the direction of writing, what nobody sees, and letters that only machines
#: read (tags, variation selectors of the supplement, halves of pairs).
_UNSEEN = regex.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    r"\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    r"\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: Joiners are spelling in Persian and in India, and hold emoji together; elsewhere they hide.
_JOINERS = regex.compile(r"(?<![^\x00-\u05ff])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u05ff])")
_LINE_ENDS = re.compile(r"\r\n?|\x0b|\x0c|\u0085|\u2028|\u2029")
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
#: What some model's tokeniser takes for one of its own signs, wherever it stands: roles, ends,
#: places of pictures, thoughts, calls of tools.
_SIGN = regex.compile(
    r"<(?=[|｜]|/?(?:s|bos|eos|pad|unk|mask|sep|cls|unused\d+|start_of_\w+|end_of_\w+|im_\w+"
    r"|begin_of_\w+|think\w*|thought|reasoning|tool\w*|function\w*|image\w*|img|video\w*|audio\w*"
    r"|system|user|assistant|model|source\w*|reserved_\w+|extra_id_\d+|__\w+__)\b|<SYS>)"
    r"|(?<=[|｜])>",
    regex.IGNORECASE,
)
_BRACKETED = re.compile(r"\[(?=/?[A-Z][A-Z_]{2,}\])")
#: What a model may take for a citation of its own: "[7]" of a paper is the paper's.
_CITATION = re.compile(r"[\[【]\s*\^?\s*(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\s*(?:†[^】\]]*)?[\]】]")


def seen(text: str) -> str:
    """A text without what no one sees: what is left is what a person would read."""
    return _JOINERS.sub("", streamed(_LINE_ENDS.sub("\n", text)))


def streamed(text: str) -> str:
    """The same of a part of a text, but for what its neighbours would tell."""
    return _UNSEEN.sub("", text)


def quoted(text: str) -> str:
    """A file's text as data for a prompt: nothing in it is a sign of a model or a citation."""
    text = _SIGN.sub(_apart, seen(text))
    text = _BRACKETED.sub("[ ", text)
    text = _CITATION.sub(r"(\1)", text)
    return _EMPTY_LINES.sub("\n\n", text).strip()


def _apart(sign: regex.Match[str]) -> str:
    return "< " if sign[0] == "<" else " >"


def line(text: str, most: int) -> str:
    """The same of a name or a heading, in one line of at most so many characters."""
    whole = " ".join(quoted(text).split())
    return whole if len(whole) <= most else f"{whole[: most - 1].rstrip()}…"


_IMAGE = re.compile(r"!\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_LINK = re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)")
_AUTOLINK = re.compile(r"<((?:[a-z][a-z0-9+.-]*:|www\.)[^>\s]*|[^@\s<>]+@[^>\s]+)>", re.IGNORECASE)
_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]*|!--.*?--|[!?][^<>]*)>", re.DOTALL)
#: Where a face would make of words something that opens.
_SCHEME = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}:/+|\b(?:javascript|vbscript|mailto):|\bdata:(?=\w+/\w)|\bwww\.",
    re.IGNORECASE,
)
#: What is left of markup that was not whole.
_BEGUN = (
    (re.compile(r"!+(?=\[)"), ""),
    (re.compile(r"<(?=[a-zA-Z/!?])"), "< "),
    (re.compile(r"\](?=[(\[])"), "] "),
)
_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_EMPHASIS = (
    re.compile(r"(\*\*\*|\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL),
    re.compile(r"(?<![\w*])(\*)(?=[^\s*])(.+?)(?<=[^\s*])\1(?![\w*])", re.DOTALL),
    re.compile(r"(?<![\w_])(_)(?=[^\s_])(.+?)(?<=[^\s_])\1(?![\w_])", re.DOTALL),
)


def plain(text: str) -> str:
    """A sentence of a model without markup: nothing in it could be loaded or opened by a face,
    whatever that takes it for."""
    parts, at = list[str](), 0
    for code in _CODE.finditer(text):
        parts += [_prose(text[at : code.start()]), code[2]]
        at = code.end()
    return code_text("".join([*parts, _prose(text[at:])]))


def code_text(text: str) -> str:
    """Code as it stands, but that nothing in it opens."""
    text = _until_same(text, lambda one: _SCHEME.sub("", one))
    for begun, instead in _BEGUN:
        text = begun.sub(instead, text)
    return text


def _prose(text: str) -> str:
    text = _until_same(
        text,
        lambda one: _TAG.sub("", _AUTOLINK.sub(r"\1", _LINK.sub(r"\1", _IMAGE.sub(r"\1", one)))),
    )
    for mark in _EMPHASIS:
        text = mark.sub(r"\2", text)
    return text


def _without_tags(text: str) -> str:
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    return _TAG.sub("", _AUTOLINK.sub(r"\1", text))


def _until_same(text: str, change: Callable[[str], str]) -> str:
    """Changed until nothing is left to change: what a removal joins must not be markup again."""
    while (changed := change(text)) != text:
        text = changed
    return text
