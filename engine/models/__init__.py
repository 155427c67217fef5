"""Which models there are: the registry, their files and downloads, their sizes as found."""
