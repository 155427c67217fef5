"""Holds an encoder against a folder of its reference code's outputs, array by array.

`python -m tests.golden.check DIR` prints the worst difference of each kind and ends with 1 if any
array is beyond its limit or not understood, with 2 if DIR is no golden folder or its checkpoint
can't be loaded. DIR holds golden.npz, golden_meta.json, ckpt/ in the published layout and images/;
whose encoder it is for is told by ckpt/config.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from engine.contract.errors import InklingError
from engine.encoders.late_interaction.families import FAMILIES
from tests.golden import gemma2_check, jina_v4_check, late_interaction_check, qwen3_vl_check
from tests.golden.comparison import Difference, report


def check(folder: Path) -> Iterator[Difference]:
    """All comparisons of a golden folder; InklingError if it is none."""
    for name in ("golden.npz", "golden_meta.json", "ckpt/config.json", "images"):
        if not (folder / name).exists():
            raise InklingError(f"{folder} is no golden folder: there is no {name} in it.")
    config = json.loads((folder / "ckpt" / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") == "embedding_gemma2":
        return chain.from_iterable(
            gemma2_check.differences(gemma2_check.Golden(folder, back_end))
            for back_end in gemma2_check.BACK_ENDS
        )
    if "multi_vector_projector_dim" in config:
        return jina_v4_check.differences(jina_v4_check.Golden(folder))
    if config.get("model_type") in FAMILIES:
        return late_interaction_check.differences(folder)
    if config.get("model_type") == "qwen3_vl":
        return qwen3_vl_check.differences(folder)
    raise InklingError(
        f"ckpt/config.json is of a model that there is no check for: {config.get('model_type')}.",
        hint="There are checks for jina-embeddings-v4, EmbeddingGemma 2, Qwen3-VL-Embedding,"
        " ColQwen2, ColPali and ColModernVBERT.",
    )


def main(arguments: list[str] | None = None) -> int:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    try:
        return 0 if report(check(parser.parse_args(arguments).folder)) else 1
    except InklingError as error:
        print(error, file=sys.stderr)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        said = f"{type(error).__name__}: {error}"
        print(f"The golden folder is damaged, or of another form: {said}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
