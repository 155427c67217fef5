"""The picture network that comes with Inkling, on onnxruntime: what a picture shows."""
