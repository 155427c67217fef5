"""EmbeddingGemma 2, exact: one space for text, code and pictures, on transformers or onnxruntime."""
