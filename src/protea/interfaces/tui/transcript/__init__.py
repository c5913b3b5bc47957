"""The transcript: blocks of a session (domain/blocks.py) in one widget that lays out only what is seen. What is where:

the widget          widget (events, keys and the mouse), painter (rows as strips), reading (how much of the
                log is in memory), pages (of a log, read from its end)
where one is        viewport (which row stands where), entries (blocks as they stand, how high each is)
blocks as rows      draw, markdown (its units while it is written), prose, formula, difference, rows (what a row is)
characters          cells (width, breaks, what may be drawn), colouring (code), palette (a theme's colours)
looking for         searching, selection, marking (ranges over rows)
pictures            hanging
"""
