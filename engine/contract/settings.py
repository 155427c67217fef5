"""Every setting once: type, default, bounds, title, help; window, API, docs and tests read it."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir, base_dir
from engine.contract.put import put_in_place

#: The id of the model that comes with Inkling; engine.models has its row.
DEFAULT_MODEL = "e5-minilm"

Value: TypeAlias = bool | int | str | tuple[str, ...]
Section = Literal["Answers", "General", "Indexing", "Privacy", "Resources", "Search"]
SECTIONS: tuple[Section, ...] = (
    "General",
    "Search",
    "Answers",
    "Indexing",
    "Privacy",
    "Resources",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; the type is the default's."""

    key: str
    default: Value
    section: Section
    title: str
    help: str
    bounds: tuple[int, int] | None = None  # inclusive, in `unit`
    unit: str = ""
    zero: str = ""  # what 0 means, in words, where 0 is special
    choices: tuple[tuple[str, str], ...] = ()  # (value, label)
    restart: Literal["", "window", "indexer"] = ""  # what must start again for it to take hold
    #: Which page of its own it is changed on, if one knows more of it than a value.
    page: Literal["", "models"] = ""
    #: Kept with the others, but changed by what the person does elsewhere: no field shows it.
    hidden: bool = False

    def check(self, value: object) -> Value:
        """The value as stored, or ValueError saying what is expected."""
        wanted = type(self.default)
        if wanted is tuple:
            if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
                return tuple(value)
            raise ValueError("a list of texts is expected")
        # bool is an int to Python: `workers = true` must not become one worker.
        if type(value) is not wanted:
            names = {bool: "true or false", int: "a whole number", str: "a text"}
            raise ValueError(f"{names[wanted]} is expected")
        if self.choices and value not in (known := [choice for choice, _ in self.choices]):
            raise ValueError(f"one of {', '.join(known)} is expected")
        if self.bounds and isinstance(value, int):
            low, high = self.bounds
            # 0 is always fine where it has a meaning of its own.
            if not low <= value <= high and not (self.zero and value == 0):
                raise ValueError(f"a number from {low} to {high} is expected")
        return value


def _row(default: Value, section: Section, title: str, help: str, **more: Any) -> Any:
    """A dataclass field that carries its Setting (the key is the attribute's name)."""
    row = {"default": default, "section": section, "title": title, "help": help, **more}
    return field(default=default, metadata={"row": row})


@dataclass(slots=True)
class Settings:
    """The settings of one base directory: typed attributes, read from and written to TOML."""

    theme: str = _row(
        "system",
        "General",
        "Appearance",
        "Light, dark, or whatever the desktop uses.",
        choices=(("system", "Like the desktop"), ("light", "Light"), ("dark", "Dark")),
    )
    scale: int = _row(
        0,
        "General",
        "Size of everything",
        "Makes text, rows and pictures larger or smaller.",
        bounds=(75, 300),
        unit="%",
        zero="Like the desktop",
        restart="window",
    )
    language: str = _row(
        "system",
        "General",
        "Language",
        "What the window speaks; questions and files can be in any.",
        choices=(("system", "Like the desktop"), ("en", "English"), ("de", "Deutsch")),
        restart="window",
    )
    close_to_tray: bool = _row(
        True,
        "General",
        "Keep in the tray when closed",
        "Closing the window only hides it where the desktop has a tray; Quit ends it.",
    )
    keep_indexing: bool = _row(
        True,
        "General",
        "Keep indexing when Inkling is not open",
        "The indexer goes on in the background, so that new files are found at once.",
    )
    start_with_session: bool = _row(
        False,
        "General",
        "Start when I log in",
        "Starts the indexer and puts Inkling in the tray.",
    )
    panel_key: str = _row(
        "",
        "General",
        "Key for the small panel",
        "Brings it up from anywhere while Inkling is open or in the tray, such as "
        "“Ctrl+Alt+Space”. Your desktop may ask. Empty: none.",
    )
    editor_command: str = _row(
        "",
        "General",
        "Open code and notes with",
        "A program, such as “kate”, or a command in which {path} and {line} are filled in. Empty: "
        "an editor found here that goes to the line; at beginnings the desktop's own program.",
    )
    viewer_command: str = _row(
        "",
        "General",
        "Open PDF pages with",
        "A program, such as “okular”, or a command in which {path} and {page} are filled in. "
        "Empty: a viewer found here that goes to the page; at beginnings the desktop's own "
        "program.",
    )
    result_limit: int = _row(
        50,
        "Search",
        "Results",
        "How many files a search shows at first; more come as you scroll.",
        bounds=(5, 200),
    )
    remember_searches: bool = _row(
        True,
        "Search",
        "Remember searches",
        "Offers what you searched for again; kept on this machine only.",
    )
    model: str = _row(
        DEFAULT_MODEL,
        "Search",
        "Model",
        "What understands your files. After a change the old index answers until the new is built.",
        page="models",
    )
    sight_model: str = _row(
        "",
        "Search",
        "Model that sees pictures",
        "Finds pictures and pages by what is seen on them. Empty: none but the one that reads.",
        page="models",
    )
    ask_server: str = _row(
        "",
        "Answers",
        "Server with a language model",
        "Its address, such as “http://127.0.0.1:11434/v1”. Empty: the first that is found on this "
        "machine. Another machine is asked only after you have confirmed it.",
    )
    ask_model: str = _row(
        "",
        "Answers",
        "Language model",
        "As the server calls it. Empty: the first it offers.",
    )
    ask_tokens: int = _row(
        8_000,
        "Answers",
        "Room for question and answer",
        "How much the language model is given to read, and may write. More takes longer.",
        bounds=(1_000, 1_000_000),
        unit="tokens",
        zero="As the model allows",
    )
    ask_pictures: str = _row(
        "told",
        "Answers",
        "Show pages and pictures to it",
        "Models that see are given pixels, all others the text that was read there.",
        choices=(
            ("told", "If it can see"),
            ("always", "Always"),
            ("never", "Never"),
        ),
    )
    ask_confirmed: str = _row(
        "",
        "Answers",
        "Confirmed machine",
        "The other machine that may be asked; a new address has to be confirmed anew.",
        hidden=True,
    )
    encoder_address: str = _row(
        "",
        "Indexing",
        "Encoder on another machine",
        "Where passages and pictures become vectors, such as “https://workstation:8424”. Empty: "
        "on this machine. Another machine is used only after you have confirmed it.",
        hidden=True,
    )
    encoder_model: str = _row(
        "",
        "Indexing",
        "Model of the encoder",
        "As a server with OpenAI's API calls it. Empty: the server is an Inkling.",
        hidden=True,
    )
    encoder_confirmed: str = _row(
        "",
        "Indexing",
        "Confirmed encoder",
        "The other machine that may encode; a new address has to be confirmed anew.",
        hidden=True,
    )
    archives: tuple[str, ...] = _row(
        (),
        "Search",
        "Archives",
        "Other indexes that are asked beside this machine's: a name and an address, one a line.",
        hidden=True,
    )
    ocr: bool = _row(
        True,
        "Indexing",
        "Read text in pictures",
        "Finds screenshots and scans by the words in them; the slowest part of indexing.",
    )
    sight: bool = _row(
        True,
        "Indexing",
        "Compare pictures by their look",
        "Finds a photo by a part of it, and photos like it. Off: what is kept of it is removed.",
    )
    max_file_mb: int = _row(
        200,
        "Indexing",
        "Largest file to read",
        "Larger files are found by name only.",
        bounds=(1, 100_000),
        unit="MB",
    )
    max_text: int = _row(
        4,
        "Indexing",
        "Text read of one file",
        "Of longer files the beginning is read, of logs the end; the file says how much.",
        bounds=(1, 1_000),
        unit="million characters",
    )
    hidden_files: bool = _row(
        False,
        "Indexing",
        "Hidden files and folders",
        "Reads what starts with a dot, too.",
    )
    excluded: tuple[str, ...] = _row(
        (),
        "Indexing",
        "Leave out",
        "Patterns as in .gitignore, one a line: “*.log”, “old/”, “!keep.log”.",
    )
    withhold_secrets: bool = _row(
        True,
        "Privacy",
        "Withhold secrets",
        "Keys, tokens and password files never show up in results; they are listed as withheld.",
    )
    workers: int = _row(
        0,
        "Resources",
        "Files read at the same time",
        "More is faster and warmer.",
        bounds=(1, 32),
        zero="Automatic",
        restart="indexer",
    )
    encoder_threads: int = _row(
        0,
        "Resources",
        "Processor cores for the model",
        "How many cores the model may use.",
        bounds=(1, 128),
        zero="Automatic",
        restart="indexer",
    )
    memory_cap_mb: int = _row(
        1500,
        "Resources",
        "Memory for reading one file",
        "A file that needs more is set aside and listed under problems.",
        bounds=(300, 64_000),
        unit="MB",
    )
    disk_cap_gb: int = _row(
        0,
        "Resources",
        "Largest index",
        "Indexing stops when the index has reached this size; search goes on.",
        bounds=(1, 10_000),
        unit="GB",
        zero="No limit",
    )
    min_free_disk_gb: int = _row(
        2,
        "Resources",
        "Keep free on the disk",
        "Indexing pauses while less than this is free.",
        bounds=(0, 1_000),
        unit="GB",
    )
    pause_on_battery: bool = _row(
        True,
        "Resources",
        "Pause on battery",
        "On battery only names are kept up to date.",
    )
    idle_minutes: int = _row(
        1,
        "Resources",
        "Unload the model after",
        "Gives its memory back when nothing was searched or indexed for so long.",
        bounds=(1, 1_440),
        unit="min",
    )

    #: What was wrong in the file, one readable sentence each; the defaults stand in its place.
    messages: list[str] = field(default_factory=list, compare=False)
    _path: Path | None = field(default=None, repr=False, compare=False)
    _unknown: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, base: BaseDir | str | os.PathLike[str] | None = None) -> Self:
        """Read settings.toml; what is missing or wrong takes its default and leaves a message."""
        path = (base if isinstance(base, BaseDir) else base_dir(base)).settings
        settings = cls(_path=path)
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return settings
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            settings.messages.append(f"{path.name} can't be read ({error}); the defaults are used.")
            return settings
        settings._unknown = {key: data.pop(key) for key in list(data) if key not in SETTINGS}
        settings.messages += settings.update(data)
        return settings

    def get(self, key: str) -> Value:
        """A setting by its key."""
        value: Value = getattr(self, setting(key).key)
        return value

    def set(self, key: str, value: object) -> None:
        """Change one setting (not saved yet); InklingError if the value can't be."""
        row = setting(key)
        try:
            setattr(self, key, row.check(value))
        except ValueError as error:
            raise InklingError(
                "“{title}” can't be {value}: {error}.",
                hint="Its key is {key}.",
                told={"title": row.title, "value": repr(value), "error": error, "key": key},
            ) from error

    def update(self, values: Mapping[str, object]) -> list[str]:
        """Take all values that are right; a sentence for each that is not."""
        messages = []
        for key, value in values.items():
            try:
                self.set(key, value)
            except InklingError as error:
                messages.append(error.message)
        return messages

    def as_dict(self) -> dict[str, Value | list[str]]:
        """All values by key, ready for JSON or TOML."""
        values = ((key, self.get(key)) for key in SETTINGS)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in values}

    def save(self) -> None:
        """Replace settings.toml in one step: what differs from the defaults, and unknown keys."""
        if self._path is None:
            raise InklingError("These settings have no file.", hint="Load them from a base dir.")
        import tomli_w

        changed = {k: v for k, v in self.as_dict().items() if self.get(k) != SETTINGS[k].default}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self._path, tomli_w.dumps(changed | self._unknown))
        except OSError as error:
            raise InklingError(
                "The settings can't be saved: {error}.",
                hint="Free some space or fix the folder's permissions.",
                path=str(self._path),
                told={"error": error.strerror or error},
            ) from error


def _replace(path: Path, text: str) -> None:
    """Write beside and rename, flushed to disk: a crash leaves the old file or the new one."""
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


SETTINGS: dict[str, Setting] = {
    f.name: Setting(key=f.name, **f.metadata["row"]) for f in fields(Settings) if f.metadata
}


def setting(key: str) -> Setting:
    """The row of a setting; InklingError naming the known ones if there is none."""
    try:
        return SETTINGS[key]
    except KeyError:
        raise InklingError(
            "There is no setting “{key}”.",
            hint="Known settings: {known}.",
            told={"key": key, "known": ", ".join(SETTINGS)},
        ) from None
