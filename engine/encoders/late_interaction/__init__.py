"""Retrievers that give token vectors alone: ColPali, ColQwen2, ColModernVBERT."""
