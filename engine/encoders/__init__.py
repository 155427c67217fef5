"""The models behind one small protocol."""
