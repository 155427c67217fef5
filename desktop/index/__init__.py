"""The state of the index for a person: folders, problems, why a file is found or not."""
