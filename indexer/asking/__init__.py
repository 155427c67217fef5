"""Asking a language model that a person runs: finding it, what may be asked, and the answer as it
comes."""
