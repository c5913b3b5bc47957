"""The driven side: one family of modules per port, unaware of one another. Found by name through the catalogue."""
