"""The answers of the funnel, one module each: figures of a period, counted in the database."""
