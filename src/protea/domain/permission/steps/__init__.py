"""The steps of a decision, in the order in which a request meets them; `decision` takes them. What is where:

what is known       scene (rules, and what looks at the disk), case (what was found so far, and why)
the ways through    scripts (Bash), files (tools that name files), web (addresses), named (all others)
of a script         reading (two readers of the shell), whereabouts (in which folder each command runs)
what forbids        matching (rules on commands), touching (paths of commands), places (one path)
what no star covers published (commits that a remote has)
what allows         harmless (it only reads), piping (`… | xargs`), allowing (rules), yolo (the mode that asks least)
"""
