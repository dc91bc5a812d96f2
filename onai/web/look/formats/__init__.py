"""How each language writes dates and numbers, by the names that Django knows."""
