"""Where agents that have a name come from."""
