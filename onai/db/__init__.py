"""How the product talks to its two PostgreSQL databases, and what it finds there."""
