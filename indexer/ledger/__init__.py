"""What is known and done of every file (SQLite), and their names' full-text index."""
