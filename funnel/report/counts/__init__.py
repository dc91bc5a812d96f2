"""How leads are counted: one plain statement, its counts by pieces of time, and their spread."""
