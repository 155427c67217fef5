"""The weights of models that do not come with Inkling: licence, folder, check, removal.

Standard library only, so that any face may ask. For each model there is BASE/models/ID/ with

    licence.json   which licence the person accepted, and when
    options.json   device and precision, where the person chose
    files/         the downloaded weights, or location.json: the folder that was added instead
    manifest.json  size and sha256 of every file; written last, so it says that all is there
    served.json    what another machine's encoder told of it: engine.models.served

`inkling model list` shows `states`, `add` and `download` first ask for `accept_licence`, `use`
calls `ensure_usable`. Downloading itself is engine.models.download; what a model's vectors are like
with the weights that are here, engine.models.sizes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from engine.contract import launch
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models.libraries import missing, require_libraries
from engine.models.packages import find_package
from engine.models.registry import MODELS, ModelSpec

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["fp32", "bf16", "int8", "int4"]
#: Tokens of a picture, where a model can be told; 0 leaves it to the device.
PictureTokens = Literal[0, 70, 140, 280, 560, 1120]
State = Literal["built in", "ready", "incomplete", "missing"]

_CHECK_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Options:
    """How a person wants a model to run."""

    device: Device = "auto"
    precision: Precision | Literal["auto"] = "auto"
    picture_tokens: PictureTokens = 0


@dataclass(frozen=True, slots=True)
class ModelState:
    """A row of `inkling model list`."""

    spec: ModelSpec
    state: State
    licence_accepted: bool
    folder: Path | None  # where the weights are
    bytes: int


def model_folder(spec: ModelSpec, base: BaseDir) -> Path:
    """BASE/models/ID, the folder a loader is given."""
    return base.models / spec.id


def served_file(spec: ModelSpec, base: BaseDir) -> Path:
    """What another machine's encoder told of it: engine.models.served."""
    return model_folder(spec, base) / "served.json"


def weights_folder(folder: Path) -> Path:
    """Where a model's files are: the folder that was added, the download, or the folder itself."""
    added = read_object(folder / "location.json").get("path")
    if added:
        return Path(added)
    files = folder / "files"
    return files if files.is_dir() else folder


def states(base: BaseDir) -> list[ModelState]:
    """Every model of the registry and what is here of it."""
    return [state(spec, base) for spec in MODELS.values()]


def state(spec: ModelSpec, base: BaseDir) -> ModelState:
    """What is here of one model. Looks at sizes alone."""
    if not spec.download_bytes:
        whole = all(find_package(package) for package in spec.packages)
        return ModelState(spec, "built in" if whole else "missing", True, None, 0)
    folder = model_folder(spec, base)
    files = weights_folder(folder)
    known = read_object(folder / "manifest.json").get("files", {})
    sizes = {name: _size(files / name) for name in known}
    if known and all(sizes[name] == entry["bytes"] for name, entry in known.items()):
        found: State = "incomplete" if missing(spec) else "ready"
    else:
        found = "incomplete" if files != folder else "missing"
    accepted = licence_accepted(spec, base)
    return ModelState(spec, found, accepted, files, sum(s for s in sizes.values() if s > 0))


def weights_here(spec: ModelSpec, base: BaseDir) -> bool:
    """Whether this machine could encode with the model; of one that is no file of a registry's
    model it is believed."""
    return spec.id not in MODELS or state(spec, base).state in ("built in", "ready")


def licence_notice(spec: ModelSpec) -> str:
    """What a person reads before accepting."""
    use = "" if spec.commercial_use else " It must not be used commercially."
    return (
        f"{spec.title} is published at {spec.source} under this licence: {spec.licence}.{use} "
        "Inkling does not ship the weights; by accepting you take the licence's terms upon you."
    )


def accept_licence(spec: ModelSpec, base: BaseDir) -> None:
    """Remember that the person accepted; asked again if the licence or revision changes."""
    accepted = {"licence": spec.licence, "revision": spec.revision, "at": time.time()}
    write_json(model_folder(spec, base) / "licence.json", accepted)


def licence_accepted(spec: ModelSpec, base: BaseDir) -> bool:
    accepted = read_object(model_folder(spec, base) / "licence.json")
    same = (accepted.get("licence"), accepted.get("revision")) == (spec.licence, spec.revision)
    return spec.download_bytes == 0 or same


def require_licence(spec: ModelSpec, base: BaseDir) -> None:
    """InklingError if the person has not accepted the licence yet."""
    if not licence_accepted(spec, base):
        raise InklingError(
            "The licence of {title} has not been accepted.",
            hint="{notice} Accept it with `--accept-licence`.",
            told={"title": spec.title, "notice": licence_notice(spec)},
        )


def ensure_usable(spec: ModelSpec, base: BaseDir) -> None:
    """InklingError saying what to do, unless the model can be loaded."""
    require_licence(spec, base)
    found = state(spec, base).state
    if found in ("missing", "incomplete") and served_file(spec, base).exists():
        return  # another machine encodes
    if found == "missing" and not spec.download_bytes:
        raise InklingError(
            "The weights of {title} are missing: a package of {packages} is not installed.",
            hint="Set Inkling up again, or choose another model.",
            told={"title": spec.title, "packages": ", ".join(spec.packages)},
        )
    if found == "incomplete":
        require_libraries(spec)
    if found in ("missing", "incomplete"):
        raise InklingError(
            "The weights of {title} are not all here.",
            hint="The page “Model” or `inkling model download {id}` gets them ({size} GB), "
            "`inkling model add PATH` takes a folder that you have.",
            told={
                "title": spec.title,
                "id": spec.id,
                "size": f"{spec.download_bytes / 1e9:.1f}",
            },
        )


def add(spec: ModelSpec, base: BaseDir, folder: Path) -> None:
    """Use the weights in a person's own folder, where they are, after checking every file."""
    require_licence(spec, base)
    require_libraries(spec)
    source = folder.expanduser().absolute()
    if not source.is_dir():
        raise InklingError(
            "There is no folder {source}.",
            hint="Give the folder that holds config.json.",
            told={"source": source},
        )
    # Digests first: what is not the published file is refused before anything reads it.
    manifest = make_manifest(source, names_of_weights(spec, _files_below(source)))
    compare_digests(spec, {name: entry["sha256"] for name, entry in manifest.items()})
    check_tensors(spec, source)
    home = model_folder(spec, base)
    write_json(home / "location.json", {"path": str(source)})
    write_manifest(spec, home, source, manifest)


def remove(spec: ModelSpec, base: BaseDir) -> None:
    """Delete what was downloaded; a folder that was added is only forgotten."""
    home = model_folder(spec, base)
    # The manifest first: half a removal must not look like a whole model.
    found_here = ("measured.json", "quality.json")
    for name in ("manifest.json", "location.json", "options.json", *found_here):
        (home / name).unlink(missing_ok=True)
    for name in ("files", "graphs"):
        shutil.rmtree(home / name, ignore_errors=True)


def options(folder: Path) -> Options:
    """How the person wants the model in this folder to run."""
    given = read_object(folder / "options.json")
    known = {
        "device": get_args(Device),
        "precision": get_args(Precision),
        "picture_tokens": get_args(PictureTokens),
    }
    return Options(**{key: given[key] for key in known if given.get(key) in known[key]})


def set_options(spec: ModelSpec, base: BaseDir, chosen: Options) -> None:
    """Keep a choice of device and precision; it holds when the model is loaded next."""
    write_json(model_folder(spec, base) / "options.json", asdict(chosen))


def check_tensors(spec: ModelSpec, folder: Path) -> None:
    """Account for every tensor, in a process of its own: this one stays free of torch."""
    command = launch.command("engine.encoders.check_weights", spec.module, str(folder))
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_CHECK_SECONDS,
            check=False,
            env=launch.environment(),
        )
    except subprocess.TimeoutExpired:
        raise InklingError("Checking the model's files took too long.") from None
    if done.returncode:
        said = done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]
        raise InklingError(
            "The files in {folder} are not a whole {title} ({said}).",
            path=str(folder),
            told={"folder": folder, "title": spec.title, "said": said},
        )


def names_of_weights(spec: ModelSpec, names: Iterable[str]) -> list[str]:
    """Those of a repository's files that a model is made of: never code, never pictures."""
    if spec.files:
        return sorted(set(names) & set(spec.files))
    kept = (".safetensors", ".json", "merges.txt", "vocab.txt")
    return sorted(n for n in names if n.endswith(kept) and not n.startswith("."))


def make_manifest(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {
        name: {"bytes": _size(folder / name), "sha256": digest(folder / name)} for name in names
    }


def write_manifest(
    spec: ModelSpec, home: Path, weights: Path, files: Mapping[str, Mapping[str, Any]]
) -> None:
    """Say that all is there; with the numbers of config.json, which may be out of reach later."""
    config = read_object(weights / "config.json")
    within = {
        f"{outer}.{key}": value
        for outer, inner in config.items()
        if isinstance(inner, dict)
        for key, value in inner.items()
    }
    numbers = {k: v for k, v in (config | within).items() if isinstance(v, int | list)}
    manifest = {"revision": spec.revision, "config": numbers, "files": files}
    write_json(home / "manifest.json", manifest)


def compare_digests(spec: ModelSpec, found: Mapping[str, str]) -> None:
    """InklingError unless every digest that the registry knows is met."""
    if missing := [name for name in spec.sha256 if name not in found]:
        raise InklingError(
            "The model's file {name} is missing.",
            hint="Get the files again with `inkling model download`, or add a complete folder.",
            told={"name": missing[0]},
        )
    for name, expected in spec.sha256.items():
        if found[name] != expected:
            raise InklingError(
                "The file {name} is not the published one (sha256).",
                hint="Get it again; it is damaged, or of another revision.",
                told={"name": name},
            )


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a small file so that it is whole or not there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(value, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).replace(path)


def read_object(path: Path) -> dict[str, Any]:
    """A small JSON file as an object; empty if it is not there or no such."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _files_below(folder: Path) -> list[str]:
    return [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]


def _size(path: Path) -> int:
    """In bytes; -1 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1
