"""Answers in sentences: what was asked and answered, how it is shown with its sources, which
language model answers, and what it was given."""
