"""A GPU in the next room: the service that encodes for other machines, and the way to it."""
