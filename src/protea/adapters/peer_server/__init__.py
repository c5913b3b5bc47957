"""What lets other agents in."""
