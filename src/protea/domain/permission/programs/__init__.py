"""What each program does with its words: reads, writes, removals, what reaches out, what a person must see.

the entrances       study (one command), reach (a script's effects)
that only read      table (a row each), options (how a row reads words), particular (a function each), searching (grep,
                    rg, find), languages (sed, awk, jq), git
that do more        writing, hazards (options no starred rule covers), reserved (what yolo leaves to a person),
                    rewriting (what git makes anew of history)
"""
