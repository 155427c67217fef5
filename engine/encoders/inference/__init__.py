"""How a network is run, for every back end: windows over long documents, batches that fit the
memory, smaller weights, and turns between queries and batches."""
