"""Where Inkling keeps its state: everything under one base directory, mode 0700."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.contract.errors import InklingError

BASE_DIR_VARIABLE = "INKLING_BASE_DIR"


@dataclass(frozen=True, slots=True)
class BaseDir:
    """The base directory and the names of what lies in it."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.sqlite"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def thumbs(self) -> Path:
        return self.root / "thumbs"

    @property
    def pages(self) -> Path:
        """What OCR has read of files with many pages."""
        return self.root / "pages"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def agents(self) -> Path:
        """What agents were given."""
        return self.root / "agents.jsonl"

    @property
    def judgements(self) -> Path:
        """Which files answer which questions, by the person."""
        return self.root / "judged.jsonl"

    @property
    def encoder(self) -> Path:
        """What opens the encoder on another machine: its token and certificate."""
        return self.root / "encoder"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def endpoint(self) -> Path:
        return self.run / "endpoint.json"

    @property
    def lock(self) -> Path:
        return self.run / "indexer.lock"

    @property
    def scratch(self) -> Path:
        """Where extractor workers may write; emptied at start."""
        return self.run / "scratch"

    def create(self) -> BaseDir:
        """Make the directories, private to this user; InklingError if that is not possible."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            parts = (self.store, self.models, self.thumbs, self.pages, self.logs, self.run)
            for part in (*parts, self.scratch):
                part.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise InklingError(
                "Inkling can't write to its folder {root}: {error}.",
                hint="Free some space or fix its permissions, or choose another with --base-dir.",
                path=str(self.root),
                told={"root": self.root, "error": error.strerror or error},
            ) from error
        return self


def base_dir(given: str | os.PathLike[str] | None = None) -> BaseDir:
    """The base directory: as given, else from INKLING_BASE_DIR, else the platform's data folder."""
    chosen = given or os.environ.get(BASE_DIR_VARIABLE)
    if chosen is None:
        from platformdirs import user_data_path

        chosen = user_data_path("inkling", appauthor=False)
    return BaseDir(Path(chosen).expanduser().absolute())
