"""Protea: one agent, many forms."""

__version__ = "0.1.0"
