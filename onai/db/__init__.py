"""How the product talks to its two databases, what it finds, and what it does when one hangs."""
