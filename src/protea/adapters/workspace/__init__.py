"""Where files live: one place per file."""
