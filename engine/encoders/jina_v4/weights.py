"""Reads a jina-embeddings-v4 folder in its published layout; every tensor is accounted for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLModel

from engine.contract.errors import InklingError

_REMEDY = "Get the files again with `inkling model download`, or add a complete folder."
_ADAPTER_FILE = "adapters/adapter_model.safetensors"
_CONFIG_KEYS = (
    "text_config",
    "vision_config",
    "image_token_id",
    "video_token_id",
    "vision_start_token_id",
    "vision_end_token_id",
)
_INDEX = "model.safetensors.index.json"


class JinaNetwork(nn.Module):
    """Qwen2.5-VL without a language head, and jina-v4's projector to token vectors."""

    def __init__(self, config: Qwen2_5_VLConfig, token_dim: int) -> None:
        super().__init__()
        self.model = Qwen2_5_VLModel(config)
        self.multi_vector_projector = nn.Linear(config.text_config.hidden_size, token_dim)

    def forward(self, **inputs: Any) -> tuple[Tensor, Tensor]:
        """Hidden states after the final norm [b, n, h] and unit token vectors [b, n, t], fp32.

        Pooling, projection and normalisation in bf16 leave norms 0.2 % off one, so they never are.
        """
        hidden = self.model(**inputs).last_hidden_state.float()
        return hidden, nn.functional.normalize(self.multi_vector_projector(hidden), dim=-1)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder's settings, read and checked before any weight is touched."""

    folder: Path
    config: dict[str, Any]
    adapter: dict[str, Any]
    images: dict[str, Any]
    tasks: tuple[str, ...]
    dims: tuple[int, ...]  # sizes the single vector was trained to be cut to
    token_dim: int

    @classmethod
    def open(cls, folder: Path) -> Checkpoint:
        """Read the JSON files; InklingError names what is missing or wrong."""
        config = read_json(folder / "config.json")
        try:
            return cls(
                folder,
                config,
                read_json(folder / "adapters" / "adapter_config.json"),
                read_json(folder / "preprocessor_config.json"),
                tuple(config["task_names"]),
                tuple(config["matryoshka_dims"]),
                int(config["multi_vector_projector_dim"]),
            )
        except KeyError as error:
            raise InklingError(
                "The file config.json has no {error}: this is not jina-embeddings-v4.",
                hint=_REMEDY,
                told={"error": error},
            ) from None

    def weight_files(self) -> list[Path]:
        """The base model's safetensors files, as its index lists them."""
        index = self.folder / _INDEX
        if index.exists():
            return [self.folder / n for n in sorted(set(read_json(index)["weight_map"].values()))]
        return [self.folder / "model.safetensors"]


def read_json(path: Path) -> dict[str, Any]:
    """A settings file of a model."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InklingError(
            "The model has no {name}.", hint=_REMEDY, path=str(path), told={"name": path.name}
        ) from None
    except (OSError, ValueError) as error:
        raise InklingError(
            "{name} of the model can't be read: {error}.",
            hint=_REMEDY,
            path=str(path),
            told={"name": path.name, "error": error},
        ) from error
    if not isinstance(value, dict):
        raise InklingError(
            "{name} of the model is damaged.",
            hint=_REMEDY,
            path=str(path),
            told={"name": path.name},
        )
    return value


def load_network(
    checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device | None = None
) -> PeftModel:
    """The network with all adapters; on the CPU bf16 weights stay mapped from their files."""
    network = build_empty(checkpoint)
    account = Account(network.get_base_model().state_dict())
    state: dict[str, Tensor] = {}
    for origin, name, tensor in tensors(checkpoint):
        target = account.enter(origin, name, tensor.shape, tensor.is_floating_point())
        # The projector works in fp32 whatever the rest does.
        wanted = torch.float32 if "multi_vector_projector" in target else dtype
        state[target] = tensor.to(device, wanted)
    account.close()
    network.get_base_model().load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def check_folder(folder: Path) -> None:
    """Account for every file and tensor of a folder; the weights themselves are not read."""
    checkpoint = Checkpoint.open(folder)
    account = Account(build_empty(checkpoint).get_base_model().state_dict())
    for origin, name, tensor in tensors(checkpoint):
        account.enter(origin, name, tensor.shape, tensor.is_floating_point())
    account.close()


class Account:
    """Holds the tensors of the files against those of the network."""

    def __init__(self, expected: dict[str, Tensor]) -> None:
        self._expected = expected
        self._entered: set[str] = set()

    def enter(self, origin: str, name: str, shape: torch.Size, is_float: bool) -> str:
        """The network's name for a tensor that belongs to it; InklingError if it does not fit."""
        target = target_name(name, self._expected)
        if target not in self._expected:
            raise _wrong(f"{origin} has a tensor that does not belong there: {name}.")
        if target in self._entered:
            raise _wrong(f"{origin} has a second copy of the tensor {name}.")
        if shape != self._expected[target].shape or not is_float:
            found = f"{list(shape)}{'' if is_float else ' of integers'}"
            raise _wrong(
                f"The tensor {name} in {origin} is {found} where "
                f"{list(self._expected[target].shape)} is expected."
            )
        self._entered.add(target)
        return target

    def close(self) -> None:
        """InklingError naming a tensor that no file had."""
        if missing := sorted(self._expected.keys() - self._entered):
            count = f"{len(missing)} tensor{'s' if len(missing) > 1 else ''}"
            raise _wrong(f"The weights lack {count}, among them {missing[0]}.")


def build_empty(checkpoint: Checkpoint) -> PeftModel:
    """The network with one LoRA per task, all parameters on the meta device."""
    config = Qwen2_5_VLConfig(**{key: checkpoint.config[key] for key in _CONFIG_KEYS})
    config._attn_implementation = "sdpa"
    known = {f.name for f in dataclasses.fields(LoraConfig)}
    lora = {k: v for k, v in checkpoint.adapter.items() if k in known}
    lora |= {"task_type": None, "init_lora_weights": False, "base_model_name_or_path": None}
    with init_empty_weights():  # parameters only: rotary tables are computed, not loaded
        network = JinaNetwork(config, checkpoint.token_dim)
    first, *others = checkpoint.tasks
    # peft's own from_pretrained finds nothing in a file that holds several adapters, and says so
    # in a warning only. Adapters named like the tasks make the file's names peft's own names.
    peft: PeftModel = get_peft_model(
        network, LoraConfig(**lora), adapter_name=first, low_cpu_mem_usage=True
    )
    for task in others:
        peft.add_adapter(task, LoraConfig(**lora), low_cpu_mem_usage=True)
    return peft


def tensors(checkpoint: Checkpoint) -> Iterator[tuple[str, str, Tensor]]:
    """(file, name, tensor) of every tensor; each is a view of its memory-mapped file."""
    for path in [*checkpoint.weight_files(), checkpoint.folder / _ADAPTER_FILE]:
        origin = path.relative_to(checkpoint.folder).as_posix()
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 -- not a dict
                    yield origin, name, file.get_tensor(name)
        except (OSError, SafetensorError) as error:
            what = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged: {error}"
            raise _wrong(f"The model's file {origin} {what}.") from error


def target_name(name: str, expected: dict[str, Tensor]) -> str:
    """The published name of a tensor as the network calls it."""
    name = name.removeprefix("base_model.model.")
    if name.startswith("visual."):
        name = f"model.{name}"
    elif name.startswith("model.") and not name.startswith(
        ("model.language_model", "model.visual")
    ):
        name = f"model.language_model.{name.removeprefix('model.')}"
    module, _, kind = name.rpartition(".")
    wrapped = f"{module}.base_layer.{kind}"  # where peft put the layers that have a LoRA
    return wrapped if wrapped in expected else name


def _wrong(message: str) -> InklingError:
    return InklingError(message, hint=_REMEDY)
