"""Walks directories as ripgrep does. Fills no port: the tools that search and the list of files are written over it."""
