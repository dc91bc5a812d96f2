"""The lists of persons in the funnel. They hold contacts and are never cached."""
