"""MiniLM, the model that comes with Inkling, with its projections for dense and token vectors."""
