"""How the product talks to its two databases, and what it does when one hangs."""
