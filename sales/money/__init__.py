"""What the two halves know together: accesses by the source that brought the student."""
