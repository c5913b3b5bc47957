"""What an agent keeps beyond a session."""
