"""jina-embeddings-v4, exact: weights, adapters, pictures, tokens, the forward."""
