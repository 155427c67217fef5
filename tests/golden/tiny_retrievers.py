"""Late-interaction retrievers of a few thousand random weights, in the published layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    ColModernVBertConfig,
    ColModernVBertForRetrieval,
    ColModernVBertProcessor,
    ColPaliConfig,
    ColPaliForRetrieval,
    ColPaliProcessor,
    ColQwen2Config,
    ColQwen2ForRetrieval,
    ColQwen2Processor,
    PreTrainedTokenizerFast,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

_TEXT = ["Query: Question: where do we retry uploads? Describe the image. Two queues, a diagram."]
_WIDTH = 64


def tokenizer(controls: Sequence[str], **named: Any) -> PreTrainedTokenizerFast:
    """Bytes and some words."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=list(controls), initial_alphabet=alphabet
    )
    made.train_from_iterator(_TEXT * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, **named)


def _decoder(size: int) -> dict[str, Any]:
    return {
        "hidden_size": _WIDTH,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": size,
        "max_position_embeddings": 4096,
    }


def _eyes(**more: Any) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        **more,
    }


def _colqwen2() -> tuple[Any, Any]:
    controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>"]
    controls += ["<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokens = tokenizer(controls, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    pad, _, end, start, stop, image, video = tokens.convert_tokens_to_ids(controls)
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0}
    config = ColQwen2Config(
        vlm_config={
            "model_type": "qwen2_vl",
            "image_token_id": image,
            "video_token_id": video,
            "vision_start_token_id": start,
            "vision_end_token_id": stop,
            "text_config": {
                **_decoder(len(tokens)),
                "num_key_value_heads": 2,
                "rope_parameters": rope,
                "bos_token_id": pad,
                "eos_token_id": end,
            },
            "vision_config": {
                "depth": 2,
                "embed_dim": 32,
                "hidden_size": _WIDTH,
                "num_heads": 2,
                "mlp_ratio": 2,
                "patch_size": 14,
                "spatial_merge_size": 2,
                "temporal_patch_size": 2,
            },
        },
        embedding_dim=128,
    )
    pixels = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=96 * 28 * 28)
    return ColQwen2ForRetrieval(config), ColQwen2Processor(pixels, tokens)


def _colpali() -> tuple[Any, Any]:
    controls = ["<pad>", "<eos>", "<bos>", "<unk>", "<image>"]
    tokens = tokenizer(
        controls,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )
    pixels = SiglipImageProcessorPil(size={"height": 56, "width": 56})
    pixels.image_seq_length = 16
    processor = ColPaliProcessor(pixels, tokens)  # adds tokens
    eyes = _eyes(image_size=56, patch_size=14, projection_dim=_WIDTH, num_image_tokens=16)
    config = ColPaliConfig(
        vlm_config={
            "model_type": "paligemma",
            "image_token_index": tokens.convert_tokens_to_ids("<image>"),
            "projection_dim": _WIDTH,
            "hidden_size": _WIDTH,
            "text_config": {
                **_decoder(len(tokens)),
                "model_type": "gemma",
                "num_key_value_heads": 1,
                "head_dim": 16,
                "pad_token_id": 0,
                "eos_token_id": 1,
                "bos_token_id": 2,
            },
            "vision_config": {**eyes, "model_type": "siglip_vision_model"},
        },
        embedding_dim=128,
    )
    return ColPaliForRetrieval(config), processor


def _colmodernvbert() -> tuple[Any, Any]:
    controls = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "<fake_token_around_image>", "<image>"]
    controls += ["<end_of_utterance>", "<global-img>", "<|begin_of_text|>"]
    controls += [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    tokens = tokenizer(
        controls, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    pixels = Idefics3ImageProcessorPil(
        size={"longest_edge": 128}, max_image_size={"longest_edge": 64}
    )
    eyes = _eyes(image_size=64, patch_size=16)
    config = ColModernVBertConfig(
        vlm_config={
            "model_type": "modernvbert",
            "image_token_id": tokens.convert_tokens_to_ids("<image>"),
            "pixel_shuffle_factor": 2,
            "text_config": {
                **_decoder(len(tokens)),
                "model_type": "modernbert",
                "pad_token_id": 0,
                "bos_token_id": 1,
                "cls_token_id": 1,
                "eos_token_id": 2,
                "sep_token_id": 2,
            },
            "vision_config": {**eyes, "model_type": "siglip_vision_model"},
        },
        embedding_dim=128,
    )
    processor = ColModernVBertProcessor(pixels, tokens, image_seq_len=4)
    return ColModernVBertForRetrieval(config), processor


MAKERS: Mapping[str, Callable[[], tuple[Any, Any]]] = {
    "colqwen2": _colqwen2,
    "colpali": _colpali,
    "colmodernvbert": _colmodernvbert,
}


def make(kind: str, folder: Path, seed: int = 1) -> tuple[Any, Any]:
    """Network and processor of a kind, saved to a folder."""
    torch.manual_seed(seed)
    network, processor = MAKERS[kind]()
    network.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return network, processor
