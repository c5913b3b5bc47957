"""Capabilities from outside."""
