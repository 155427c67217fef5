"""The command line, the demo, and the bridge for agents over stdio."""
