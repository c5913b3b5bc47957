"""Where it is kept what replies cost."""
