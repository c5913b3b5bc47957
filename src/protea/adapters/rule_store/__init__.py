"""Where the rules are kept that a person has said `always` to."""
