"""The command line without Qt: commands, their output, the demo, the bridge for agents."""
