"""Qwen3-VL-Embedding: one direction for text, pictures and pages, without token vectors."""
