"""Instruction files."""
