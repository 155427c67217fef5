"""The preview: a result shown at the place that answers."""
