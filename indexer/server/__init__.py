"""The process from start to end, and the API over HTTP and MCP that all faces use."""
