"""What pages say of a student's letter, and the ways to one that arrives."""
