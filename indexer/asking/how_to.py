"""How to get a server with a language model, on each system: as their makers say."""

from __future__ import annotations

from engine.contract.asking import HowTo
from indexer.sources.systems import MACOS, SYSTEM, WINDOWS

_OLLAMA = {
    "linux": "curl -fsSL https://ollama.com/install.sh | sh",
    MACOS: "brew install ollama && brew services start ollama",
    WINDOWS: "winget install Ollama.Ollama",
}
_LLAMA_CPP = {
    "linux": "brew install llama.cpp",
    MACOS: "brew install llama.cpp",
    WINDOWS: "winget install llama.cpp",
}


def how_to(system: str = SYSTEM) -> tuple[HowTo, ...]:
    """Two that are free, run on all systems and need no account; the first is the easier one."""
    of = system if system in _OLLAMA else "linux"
    return (
        HowTo("Ollama", (_OLLAMA[of], "ollama pull gemma3"), "https://ollama.com/download"),
        HowTo(
            "llama.cpp",
            (_LLAMA_CPP[of], "llama-server -hf ggml-org/gemma-3-4b-it-GGUF"),
            "https://github.com/ggml-org/llama.cpp",
        ),
    )
