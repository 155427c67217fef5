"""The faces of Inkling for people: command line and window."""
