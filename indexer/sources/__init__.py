"""What is there: walks the folders, watches them, and notes in the ledger what differs."""
