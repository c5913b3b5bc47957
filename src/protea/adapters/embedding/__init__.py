"""Ways from text to vectors."""
