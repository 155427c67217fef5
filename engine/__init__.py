"""Understands and finds: encoders, store, query, fusion, late interaction."""
