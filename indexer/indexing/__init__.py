"""From pending to done: reading, encoding, writing as stages; changing the model; holding back."""
