"""Pictures in the conversation, where the terminal can draw them. Nothing of it is loaded before there is one."""
