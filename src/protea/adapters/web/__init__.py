"""Ways to fetch pages."""
