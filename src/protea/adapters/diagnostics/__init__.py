"""Ways to know what is wrong with a file."""
