"""Ways to undo what turns did to files."""
