"""What models without token vectors are given around a text, where another program runs them: the
same words as their own encoder gives them. No libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

#: The maker's own instructions, and what it reads where there is nothing.
QWEN_QUESTION = "Retrieve images or text relevant to the user's query."
QWEN_PASSAGE = "Represent the user's input."
QWEN_NOTHING = "NULL"


class Prompts(NamedTuple):
    """A question, and a passage with its context, as the model reads them."""

    question: Callable[[str], str]
    passage: Callable[[str, str], str]


def _qwen(instruction: str, text: str) -> str:
    # What a person writes never becomes a control token.
    clean = text.replace("<|", "< |") or QWEN_NOTHING
    return (
        f"<|im_start|>system\n{instruction}<|im_end|>\n"
        f"<|im_start|>user\n{clean}<|im_end|>\n<|im_start|>assistant\n"
    )


#: By the model's id; a model that is not here can't be asked of a server with OpenAI's API.
PROMPTS: dict[str, Prompts] = {
    "qwen3-vl-embedding": Prompts(
        lambda text: _qwen(QWEN_QUESTION, text),
        lambda text, context: _qwen(QWEN_PASSAGE, f"{context}\n{text}" if context else text),
    ),
}
