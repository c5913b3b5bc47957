"""Ways to run a command: one file each, named after what keeps it in."""
