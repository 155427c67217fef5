"""What a model writes for itself and for programs: thoughts and calls of tools, left out as they
stream by. Nothing of it is shown, and nothing is called."""

from __future__ import annotations

import regex

_NAMES = (
    "think", "thinking", "thought", "thoughts", "reasoning", "reflection", "scratchpad",
    "tool_call", "tool_calls", "tool_code", "function_call", "function_calls",
)  # fmt: skip
#: By how it begins, how it ends; "": it goes on to the end.
_HIDDEN = {
    **{f"<{name}>": f"</{name}>" for name in _NAMES},
    r"<function=": "</function>",
    r"<invoke(?=[\s>])": "</invoke>",
    r"<\|tool_call\|>": "<|/tool_call|>",
    r"<\|tool_calls_section_begin\|>": "<|tool_calls_section_end|>",
    r"<｜tool▁calls▁begin｜>": "<｜tool▁calls▁end｜>",
    r"<\|python_tag\|>": "",
    r"\[TOOL_CALLS\]": "",
    r"\[THINK\]": "[/THINK]",
    r"<\|channel\|>(?:analysis|commentary)": "<|end|>",
    r"<\|channel\|>final": "<|message|>",
}
_ENDS = tuple(_HIDDEN.values())
_BEGIN = regex.compile("|".join(f"({begin})" for begin in _HIDDEN), regex.IGNORECASE)
#: An end without a beginning: what stood before was a thought, or is cut off from what follows.
_STRAY = regex.compile(
    rf"</(?:{'|'.join(_NAMES)})>|\[/THINK\]|<[|｜][^|｜<>\s]{{1,40}}[|｜]>", regex.IGNORECASE
)


class Visible:
    """The part of a stream that is meant to be read; however it is cut, the same."""

    def __init__(self) -> None:
        self._rest = ""
        self._until: str | None = None  # how what is hidden now ends

    def read(self, text: str, *, last: bool = False) -> str:
        """What is visible of it, and of what was held back."""
        self._rest += text
        shown = list[str]()
        while self._rest:
            if self._until is not None:
                if not self._skip():
                    break
                continue
            at = min((i for i in map(self._rest.find, "<[") if i >= 0), default=len(self._rest))
            shown.append(self._rest[:at])
            self._rest = self._rest[at:]
            if self._rest and not self._look(shown, last):
                break
        return "".join(shown)

    def end(self) -> str:
        """What was held back."""
        return self.read("", last=True)

    def _skip(self) -> bool:
        """Go on to behind what is hidden; whether its end is there."""
        assert self._until is not None
        ended = regex.search(regex.escape(self._until), self._rest, regex.IGNORECASE)
        if not self._until or ended is None:
            self._rest = self._rest[-len(self._until) :] if self._until else ""
            return False
        self._rest, self._until = self._rest[ended.end() :], None
        return True

    def _look(self, shown: list[str], last: bool) -> bool:
        """What a bracket at the start is; False where more must be read to tell."""
        for pattern in (_BEGIN, _STRAY):
            told = pattern.match(self._rest, partial=not last)
            if told is None:
                continue
            if told.partial:
                return False
            if pattern is _BEGIN:
                self._until = _ENDS[(told.lastindex or 1) - 1]
            else:
                shown.append("\n\n")
            self._rest = self._rest[told.end() :]
            return True
        shown.append(self._rest[0])
        self._rest = self._rest[1:]
        return True
