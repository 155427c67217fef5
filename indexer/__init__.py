"""The background process: finds files, reads them, keeps the index true, answers the faces."""
