"""EmbeddingGemma 2, exact, on transformers or onnxruntime: text, code, pictures in one space."""
