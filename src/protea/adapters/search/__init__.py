"""Ways to search the web."""
