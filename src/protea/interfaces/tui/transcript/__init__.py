"""The transcript: blocks of a session (domain/blocks.py) in one widget that lays out only what is seen."""
