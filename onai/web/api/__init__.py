"""The API: shapes of its JSON, and the description made of them."""
