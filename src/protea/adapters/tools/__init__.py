"""Families of tools: `builtin` is the set every agent has; its tools are one file each, imported when first called."""
