"""Ways to undo what turns did to files. `none` keeps nothing; behind `snapshots` stand:

what there is       _seen (a tree, without reading it), _known (as it was last seen), _repositories, _ghosts (not ours)
a turn              _keeper (takes down what it changes), _leases (files not copied yet), _activity (of others)
what is kept        _pool (contents), _records (turns), _frames (of files that are added to),
                    _private (folders for nobody else), _tidying
taking back         _restoring, _comparing (as diffs), _telling (in words)
"""
