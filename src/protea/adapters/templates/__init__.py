"""Where slash commands of one's own come from."""
