"""Ways to choose what of a conversation the model sees."""
