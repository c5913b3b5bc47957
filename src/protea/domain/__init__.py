"""The pure core: frozen values and functions over them.

Nothing here reads a clock, opens a file or socket, logs, or knows that asyncio exists. Everyone may import it; it
imports only the standard library's pure parts and msgspec.
"""
