"""What a hit looks like: picture, page or text with the evidence marked."""
