"""From text and pixels to vectors: the protocol, its back ends, the worker process and its pool."""
