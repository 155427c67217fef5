"""The list of hits: model, delegate, view, thumbnails."""
