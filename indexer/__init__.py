"""The background process: walks, watches, extracts, feeds the engine, serves the API."""
