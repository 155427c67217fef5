"""Tests of filling an archive."""
