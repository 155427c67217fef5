"""The field's own benchmarks over Inkling's encoders and over the whole of Inkling."""
