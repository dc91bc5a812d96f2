"""The sales manager's cabinet: lists of students, search, and results."""
