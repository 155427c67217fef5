"""A vision-language model of a few random layers, as a cache of downloaded models holds it: for
a server that runs a real one. What it says means nothing, and it does not stop by itself.

`python -m tests.indexer.asking.tiny_sight CACHE PORT` writes it there and has it served.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: As the server lists it.
MODEL = "inkling/tiny-sight"
_WORDS = """Answer from the sources. End every sentence with the number of its source, like [1].
The flat in Harbour Street costs 900 euros a month and feeds the sourdough starter."""
_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}\n{% endfor %}<|assistant|>"
)


def write(cache: Path) -> None:
    """Into a cache of the hub, as a download would."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "</s>", "<pad>", "<image>"]
    raw.train_from_iterator(
        [_WORDS],
        trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    image = int(tokenizer.convert_tokens_to_ids("<image>"))
    vision = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=32, patch_size=16, projection_dim=32,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=8_192,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    model = LlavaForConditionalGeneration(
        LlavaConfig(vision_config=vision, text_config=text, image_token_id=image)
    )
    processor = LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        chat_template=_TEMPLATE,
        num_additional_image_tokens=1,
    )
    model.generation_config.eos_token_id = None
    place = cache / f"models--{MODEL.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    snapshot = place / "snapshots" / ("0" * 40)
    model.save_pretrained(snapshot)
    processor.save_pretrained(snapshot)


def main() -> None:
    """Write the model, then serve it; the libraries are loaded once."""
    cache, port = sys.argv[1:]
    os.environ["HF_HUB_CACHE"] = cache  # before the library is loaded
    write(Path(cache))
    from transformers.cli.transformers import main as serve

    sys.argv = ["transformers", "serve", "--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    serve()


if __name__ == "__main__":
    main()
