"""A key for the whole desktop, as each system wants to be told of it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contract.errors import InklingError

#: By how it is written: for the portal (XDG shortcuts specification), RegisterHotKey, Carbon.
_MODIFIERS: dict[str, tuple[str, int, int]] = {
    "ctrl": ("CTRL", 0x0002, 0x1000),
    "alt": ("ALT", 0x0001, 0x0800),
    "shift": ("SHIFT", 0x0004, 0x0200),
    "super": ("LOGO", 0x0008, 0x0100),
}
_ALSO = {"control": "ctrl", "option": "alt", "cmd": "super", "meta": "super", "win": "super"}
#: By how it is written: keysym, virtual key of Windows, key code of a Mac.
_KEYS: dict[str, tuple[str, int, int]] = {
    "space": ("space", 0x20, 49),
    "return": ("Return", 0x0D, 36),
    "tab": ("Tab", 0x09, 48),
    "insert": ("Insert", 0x2D, 114),
    "home": ("Home", 0x24, 115),
    "end": ("End", 0x23, 119),
}
#: Key codes of a Mac, in the order of the alphabet, of 0 to 9, and of F1 to F12.
_MAC_LETTERS = (
    0, 11, 8, 2, 14, 3, 5, 4, 34, 38, 40, 37, 46, 45, 31, 35, 12, 15, 1, 17, 32, 9, 13, 7, 16, 6,
)  # fmt: skip
_MAC_DIGITS = (29, 18, 19, 20, 21, 23, 22, 26, 28, 25)
_MAC_FUNCTIONS = (122, 120, 99, 118, 96, 97, 98, 100, 101, 109, 103, 111)
_KEYS |= {chr(97 + n): (chr(97 + n), 0x41 + n, code) for n, code in enumerate(_MAC_LETTERS)}
_KEYS |= {str(n): (str(n), 0x30 + n, code) for n, code in enumerate(_MAC_DIGITS)}
_KEYS |= {f"f{n}": (f"F{n}", 0x6F + n, code) for n, code in enumerate(_MAC_FUNCTIONS, 1)}

#: Without one of these a key would be taken from every program.
_ENOUGH = frozenset({"ctrl", "alt", "super"})


@dataclass(frozen=True, slots=True)
class Keys:
    """Modifiers and a key, by the names in the tables above."""

    modifiers: tuple[str, ...]
    key: str

    @property
    def trigger(self) -> str:
        """As the XDG shortcuts specification writes it."""
        return "+".join([*(_MODIFIERS[name][0] for name in self.modifiers), _KEYS[self.key][0]])

    @property
    def windows(self) -> tuple[int, int]:
        """Modifiers and virtual key for RegisterHotKey."""
        return sum(_MODIFIERS[name][1] for name in self.modifiers), _KEYS[self.key][1]

    @property
    def mac(self) -> tuple[int, int]:
        """Modifiers and key code for RegisterEventHotKey."""
        return sum(_MODIFIERS[name][2] for name in self.modifiers), _KEYS[self.key][2]


def parsed(text: str) -> Keys:
    """A key as a person writes it, such as “Ctrl+Alt+Space”; InklingError where it is none."""
    *modifiers, key = [part.strip().lower() for part in text.split("+")]
    names = [_ALSO.get(name, name) for name in modifiers]
    alone = key.startswith("f") and key in _KEYS and key != "f"
    if key not in _KEYS or not set(names) <= set(_MODIFIERS):
        raise InklingError(
            "The key “{text}” can't be bound.",
            hint="Write it like Ctrl+Alt+Space: Ctrl, Alt, Shift or Super, and a key.",
            told={"text": text},
        )
    if not alone and not _ENOUGH & set(names):
        raise InklingError(
            "The key “{text}” would be taken from every program.",
            hint="Add Ctrl, Alt or Super, such as Ctrl+Alt+Space.",
            told={"text": text},
        )
    return Keys(tuple(name for name in _MODIFIERS if name in names), key)


def taken(text: str) -> InklingError:
    """Another program has the key."""
    return InklingError(
        "The key {text} belongs to another program.",
        hint="Choose another in the settings.",
        told={"text": text},
    )


def none_here() -> InklingError:
    """The desktop gives programs no keys."""
    return InklingError(
        "This desktop gives programs no key of their own.",
        hint="Bind a key to the command “inkling --panel” in your desktop's keyboard settings.",
    )
