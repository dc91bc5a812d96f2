"""Pure mathematics: it knows no lead, no page and no Django."""
