"""What knows when to wake."""
