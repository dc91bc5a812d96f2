"""Who works here, and whether they still do."""
