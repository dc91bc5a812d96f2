"""How one reaches a person and what they are called: one definition of each for both apps.

Knows no lead and no student.
"""
