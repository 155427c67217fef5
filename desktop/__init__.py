"""The faces: window, command line, agents. They talk HTTP to the indexer and hold no models."""
