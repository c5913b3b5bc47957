"""How code that other people wrote is run within this process. Fills no port: families are written over it."""
