"""The subcommands, one file each: parsed words in, an exit code out."""
