"""Running the product: what works and what does not, for the load balancer and for the owners."""
