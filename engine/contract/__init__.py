"""What all rooms share, all that faces may import of the engine: types, errors, settings, paths.

Nothing in here loads a model, the store or numpy.
"""
