"""Scripts that train what Inkling ships beside the weights of packages. Nothing imports them."""
