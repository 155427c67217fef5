"""Answers with proof: choosing what a language model is given, and proving what it says."""
