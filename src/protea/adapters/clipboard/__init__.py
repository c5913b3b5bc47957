"""Ways to a clipboard."""
