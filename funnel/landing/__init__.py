"""How Landing is asked: one statement at a time, the last good answer, and what our role sees."""
