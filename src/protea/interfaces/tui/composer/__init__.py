"""Where a person writes.

editor      the composer: drawing, pastes and pictures as chips, what actions and characters do
buffer      the text: cursor, selection, undo, what was cut
vim         vim's keys over it, and where they lead (motions)
history     what was written before
"""
