"""EmbeddingGemma 2's prompts as token ids, with the characters each token came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, TextInput
from engine.encoders.jina_v4.tokens import Prompt

#: What the model was trained to see before a question, by adapter.
QUERY: Mapping[Adapter, str] = {
    "retrieval": "task: search result | query: ",
    "code": "task: code retrieval | query: ",
    "text-matching": "task: sentence similarity | query: ",
}
_DOCUMENT = "title: {} | text: "  # one form for prose and code
_NO_TITLE = "none"
#: Characters of a text that are looked at for each token of the window; what is beyond can't be
#: seen, and the whole of a book is one word to this tokenizer.
_CHARACTERS_PER_TOKEN = 32
_TITLE_SHARE = 4  # a title may take 1/4 of the window
_SURROGATES = re.compile("[\ud800-\udfff]")  # the tokenizer refuses them
_BREAKS = re.compile(r"[|\s]+")  # in a title: a bar would end it


@dataclass(frozen=True, slots=True)
class Marks:
    """Ids of the tokens that stand around texts and pictures: they differ between checkpoints."""

    bos: int
    eos: int
    before_image: int
    image: int
    after_image: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Marks:
        """From config.json; InklingError if one is missing."""
        try:
            text = config["text_config"]
            return cls(
                int(text["bos_token_id"]),
                int(text["eos_token_id"]),
                int(config["boi_token_id"]),
                int(config["image_token_id"]),
                int(config["eoi_token_id"]),
            )
        except (KeyError, TypeError) as error:
            raise InklingError(
                "The file config.json has no {error}: this is not EmbeddingGemma 2.",
                hint="Get the files again with `inkling model download`.",
                told={"error": error},
            ) from None


class Prompts:
    """Makes prompts from text and for pictures."""

    def __init__(self, folder: Path, marks: Marks, max_tokens: int) -> None:
        file = folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing narrower
            if not file.exists():
                raise InklingError(
                    "The model's file {name} is missing.",
                    hint="Get the files again with `inkling model download`.",
                    path=str(file),
                    told={"name": file.name},
                ) from error
            raise InklingError(
                "The model's file {name} is damaged: {said}.",
                hint="Get the files again with `inkling model download`.",
                path=str(file),
                told={"name": file.name, "said": error},
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # Nothing in a person's text can become a control token, while the tokens for line breaks,
        # runs of blanks and tags, which were added like them, stay.
        self._tokenizer.encode_special_tokens = True
        self._marks = marks
        self._max_tokens = max_tokens

    def query(self, text: str, adapter: Adapter) -> Prompt:
        return self.text(QUERY[adapter], text)

    def passage(self, given: TextInput, adapter: Adapter) -> Prompt:
        """Likeness is asked and answered in one form; else the context is the title."""
        if adapter == "text-matching":
            lead = f"{given.context}\n" if given.context else ""
            return self.text(QUERY[adapter] + lead, given.text)
        return self.text(_DOCUMENT.format(self._title(given.context)), given.text)

    def text(self, prefix: str, text: str) -> Prompt:
        """Prefix and text between their marks, cut at the right to the window.

        They are one string to the tokenizer, for it merges across the border between them.
        """
        room = self._max_tokens - 2
        seen = text[: room * _CHARACTERS_PER_TOKEN]
        encoded = self._tokenizer.encode(_clean(prefix + seen), add_special_tokens=False)
        spans = np.array(encoded.offsets[:room], np.int32).reshape(-1, 2) - len(prefix)
        outside = spans[:, 1] <= 0
        # A token may begin with the prompt's last blank: only its part of the text counts.
        np.maximum(spans, 0, out=spans)
        spans[outside] = -1
        return Prompt(
            [self._marks.bos, *encoded.ids[:room], self._marks.eos],
            np.pad(spans, ((1, 1), (0, 0)), constant_values=-1),
        )

    def image(self, tokens: int) -> list[int]:
        """Ids of a picture of so many tokens; the first of them is at FIRST_OF_IMAGE."""
        marks = self._marks
        around = [marks.bos, marks.before_image], [marks.after_image, marks.eos]
        return [*around[0], *[marks.image] * tokens, *around[1]]

    def _title(self, context: str) -> str:
        """The context as a title: on one line, without bars, cut to its share of the window."""
        room = max(1, self._max_tokens // _TITLE_SHARE)
        title = _BREAKS.sub(" ", _clean(context[: room * _CHARACTERS_PER_TOKEN])).strip()
        offsets = self._tokenizer.encode(title, add_special_tokens=False).offsets
        if len(offsets) > room:
            title = title[: offsets[room - 1][1]].rstrip()
        return title or _NO_TITLE


#: Where the first token of a picture stands in its prompt.
FIRST_OF_IMAGE = 2


def _clean(text: str) -> str:
    return _SURROGATES.sub("\ufffd", text)
