"""Making what reading comes with: run by developers, loaded by nothing else."""
