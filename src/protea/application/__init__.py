"""The use cases: one turn, the tool calls in it, the questions it raises, the sessions it belongs to.

Imports domain and ports; everything outside comes in through them.
"""
