"""Where sessions are kept: `jsonl`, folders of this machine, or `memory`. Behind them:

a log               _lines (sound ones, and where to begin), _mending (what is damaged), _lock (one writer)
many logs           _index (what lists are made of), _names (ids), _matching (words looked for)
for people          _activity
"""
