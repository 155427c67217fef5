"""Scripts that train what Inkling ships: the token heads of MiniLM. Nothing imports them."""
