"""Ways to call a person who looks elsewhere."""
