"""Filling an archive: what is there, who may read it, reading and encoding it, one writer."""
