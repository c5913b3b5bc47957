"""The shell's language: scripts as data, the strict reader of them, commands inside commands. Knows no rules."""
