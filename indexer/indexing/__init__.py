"""From pending to done: reading, encoding and writing as stages; changing the model; holding back."""
