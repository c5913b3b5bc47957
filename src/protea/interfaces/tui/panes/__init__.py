"""What stands beside the conversation: `pane` is what they share, each other file is one of them."""
