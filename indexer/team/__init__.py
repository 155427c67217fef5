"""Serving an archive to many people: accounts, rights, limits, a log of who read what."""
