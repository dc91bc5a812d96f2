"""A stand-in for Supabase Auth: its published protocol, as far as this product uses it."""
