"""What each program does with its words: reads, writes, removals, what reaches out, what a person must see."""
