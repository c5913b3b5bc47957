"""Names nobody has used."""
