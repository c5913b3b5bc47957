"""Adapters of the port to hooks."""
