"""What the application needs of the outside world, and what the outside may ask of it: one Protocol per file."""
