"""Ways to make a conversation smaller."""
