"""jina-v4's prompts as token ids, with the characters each token came from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from engine.contract.errors import InklingError
from engine.encoders.jina_v4.weights import read_json

QUERY, PASSAGE = "Query: ", "Passage: "
#: Characters of a text that are looked at for each token of the window; what is beyond can't be
#: seen, and tokenising a whole book for its first part costs seconds.
_CHARACTERS_PER_TOKEN = 32
_SURROGATES = re.compile("[\ud800-\udfff]")  # the tokenizer refuses them


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids, and for each the characters [start, end) of the text; (-1, -1) for the rest."""

    ids: list[int]
    spans: NDArray[np.int32]  # [n, 2]


class Prompts:
    """Makes prompts from text and for pictures."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        settings = read_json(folder / "tokenizer.json")
        special = {token["content"]: int(token["id"]) for token in settings["added_tokens"]}
        # Without added tokens nothing in a person's text can become a control token:
        # "<|vision_start|>" in a note is read as the characters it is made of.
        settings["added_tokens"] = []
        self._tokenizer = Tokenizer.from_str(json.dumps(settings))
        self._max_tokens = max_tokens
        try:
            self._image_pad = special["<|image_pad|>"]
            self._before_image = [
                special["<|im_start|>"],
                *self._ids("user\n"),
                special["<|vision_start|>"],
            ]
            self._after_image = [
                special["<|vision_end|>"],
                *self._ids("Describe the image."),
                special["<|im_end|>"],
                *self._ids("\n"),
            ]
        except KeyError as error:
            raise InklingError(
                "The model's tokenizer has no token {error}.",
                hint="Get the files again with `inkling model download`.",
                path=str(folder / "tokenizer.json"),
                told={"error": error},
            ) from None

    def text(self, prefix: str, text: str, context: str = "") -> Prompt:
        """Prefix, context and text as one prompt, cut at the right to the window."""
        prompt = self.document(prefix, text[: self._max_tokens * _CHARACTERS_PER_TOKEN], context)
        return Prompt(prompt.ids[: self._max_tokens], prompt.spans[: self._max_tokens])

    def document(self, prefix: str, text: str, context: str = "") -> Prompt:
        """The same, of any length."""
        lead = f"{prefix}{context}\n" if context else prefix
        whole = _SURROGATES.sub("\ufffd", lead + text)
        encoded = self._tokenizer.encode(whole, add_special_tokens=False)
        spans = np.array(encoded.offsets, np.int32).reshape(-1, 2) - len(lead)
        outside = spans[:, 1] <= 0
        # A token may begin with the prompt's last space: only its part of the text counts.
        np.maximum(spans, 0, out=spans)
        spans[outside] = -1
        return Prompt(list(encoded.ids), spans)

    def image(self, tokens: int) -> tuple[list[int], tuple[int, int]]:
        """Ids around a picture of so many tokens, and the range that the single vector pools.

        The range holds both vision markers and all between them, nothing of the chat around them.
        """
        start = len(self._before_image) - 1
        ids = [*self._before_image, *[self._image_pad] * tokens, *self._after_image]
        return ids, (start, start + tokens + 2)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)
