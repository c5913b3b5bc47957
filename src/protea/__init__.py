"""Protea: one agent, many forms."""
