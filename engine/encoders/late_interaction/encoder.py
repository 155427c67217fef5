"""ColPali, ColQwen2 and ColModernVBERT behind the Encoder protocol, over transformers' own classes.

They give token vectors alone. The mean of these, which nobody trained, stands in for a single
vector: it proposes, and MaxSim decides (`ModelSpec.late_only`).
"""

from __future__ import annotations

import gc
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.inference.low_memory import is_out_of_memory
from engine.encoders.inference.turns import Turns
from engine.encoders.inference.whole_weights import REMEDY, load_whole
from engine.encoders.jina_v4.placement import bf16_is_faster
from engine.encoders.jina_v4.weights import read_json
from engine.encoders.late_interaction.families import FAMILIES, Family
from engine.models.files import options, weights_folder
from engine.models.registry import ModelSpec

_LEAST_SIDE = 224  # pixels; a picture that needs less memory than such a one would not be read
_SHRINK = 0.7
_MOST_CHARACTERS = 2_000  # of a question: each may take several tokens


class LateInteraction:
    """The model on one device, one input at a time: a picture alone keeps a processor, and most
    cards, busy. Safe to call from several threads."""

    concurrent_queries = True  # they take turns inside

    def __init__(self, spec: ModelSpec, folder: Path, network: Any, family: Family) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self.network = network
        self.processor = family.processor.from_pretrained(folder, local_files_only=True)
        self._boxes = family.boxes
        self._turns = Turns()
        self.fast = network.device.type != "cpu"
        names = self.processor.tokenizer.get_added_vocab()
        #: What a person writes never becomes a control token.
        self._controls = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return [self._text(query, urgent=True) for query in queries]

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        """As questions without what is added to these: no such model was trained on passages."""
        joined = (f"{text.context}\n{text.text}" if text.context else text.text for text in texts)
        return [self._text(text, suffix="") for text in joined]

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return [self._picture(path) for path in images]

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Each chunk by itself: the model was not trained to be pooled in parts."""
        return self.encode_texts([TextInput(text[a:b], context) for a, b in spans], adapter)

    def _text(self, text: str, *, urgent: bool = False, **more: str) -> Encoding:
        clean = text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode()
        if self._controls.pattern:
            clean = self._controls.sub(" ", clean)
        made = self.processor.process_queries([clean], **more)
        tokens = self._run(made, urgent=urgent)
        return Encoding(_mean(tokens), tokens)

    def _picture(self, path: str) -> Encoding:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
        while True:
            made = self.processor.process_images([picture])
            try:
                tokens = self._run(made)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            picture = self._smaller(picture)
        ids = made["input_ids"][0].tolist()
        words = self.processor.tokenizer.convert_ids_to_tokens(ids)
        boxes = self._boxes(ids, words, self.processor, made)
        patches = np.array(ids) == self.processor.image_token_id
        return Encoding(_mean(tokens[patches]), tokens, boxes=boxes)

    def _smaller(self, picture: Image.Image) -> Image.Image:
        """The same with fewer pixels; InklingError if that is of no use."""
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        size = tuple(round(side * _SHRINK) for side in picture.size)
        if max(size) < _LEAST_SIDE:
            raise InklingError(
                "There is not enough memory for the model.",
                hint="Close other programs, choose a smaller precision, or use the MiniLM model.",
            )
        said = "Memory ran out: large pictures are read with fewer pixels."
        if said not in self.notes:
            self.notes.append(said)
        return picture.resize((max(1, size[0]), max(1, size[1])), Image.Resampling.BICUBIC)

    @torch.inference_mode()
    def _run(self, made: Mapping[str, Any], *, urgent: bool = False) -> NDArray[np.float32]:
        """[n, t] of one input's tokens, unit length."""
        device = self.network.device
        given = {name: value.to(device) for name, value in made.items() if name != "labels"}
        with self._turns.take(urgent=urgent):
            found = self.network(**given).embeddings[0]
        tokens: NDArray[np.float32] = found.float().cpu().numpy()
        return tokens


def _mean(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """[t] the direction of the tokens [n, t] together."""
    mean = tokens.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def load(folder: Path | None, spec: ModelSpec) -> LateInteraction:
    """Load the published files; every tensor must be there, and none besides."""
    if folder is None:
        raise InklingError("The model needs a folder with its weights.")
    files = weights_folder(folder)
    wanted = options(folder)
    card = torch.cuda.is_available() and wanted.device != "cpu"
    exact = wanted.precision == "fp32" or not (card or bf16_is_faster(folder))
    network = load_whole(
        _family(files).network.from_pretrained, files, torch.float32 if exact else torch.bfloat16
    )
    network = network.to("cuda" if card else "cpu").eval()
    return LateInteraction(spec, files, network, _family(files))


def load_exactly(files: Path, spec: ModelSpec) -> LateInteraction:
    """On the processor with all digits, from a folder of nothing but the files."""
    family = _family(files)
    network = load_whole(family.network.from_pretrained, files, torch.float32).eval()
    return LateInteraction(spec, files, network, family)


def check(folder: Path) -> None:
    """InklingError naming what is missing, extra or misshapen."""
    load_whole(_family(folder).network.from_pretrained, folder, torch.bfloat16)
    for name in ("tokenizer.json", "preprocessor_config.json"):
        if not (folder / name).is_file() and not (folder / "processor_config.json").is_file():
            read_json(folder / name)


def _family(folder: Path) -> Family:
    kind = str(read_json(folder / "config.json").get("model_type"))
    if kind not in FAMILIES:
        raise InklingError(
            "The files are of another model: {kind}.", hint=REMEDY, told={"kind": kind}
        )
    return FAMILIES[kind]
