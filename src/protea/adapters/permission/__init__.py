"""Engines that fill the permission port: `rules` is the real one, `everything_asks` the one that trusts nobody."""
