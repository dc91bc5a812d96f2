"""What `make` runs beside the product: the environment, checks, and the document of the API."""
