"""Finds files: as ripgrep does, and those that people write for Protea. Fills no port: families are written over it."""
