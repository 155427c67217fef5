"""Text encoders of the BERT family on onnxruntime, with weights that come as Python packages."""
