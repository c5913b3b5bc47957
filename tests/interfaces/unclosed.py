"""Marks of Markdown that are never closed: each took minutes once, or hours; the runner ends a test that takes two."""

from __future__ import annotations

UNCLOSED = (
    "**a " * 60_000,
    "~~a " * 60_000,
    "# " + " " * 100_000 + "x" + " " * 100_000 + "# x",
    "![a](" * 40_000,
    "[" * 200_000,
    "`a " * 60_000,
    "- " * 100_000,
    "|" * 200_000,
)
