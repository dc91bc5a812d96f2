"""Django's PostgreSQL backend, on connections that end in time (`onai.db.bounded`)."""
