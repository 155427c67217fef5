"""Archives: other indexes that the person added, asked beside this machine's."""
