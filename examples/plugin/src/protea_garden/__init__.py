"""Adapters for Protea: a persona, a notifier and a toolset."""
