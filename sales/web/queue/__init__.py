"""The queue of those who paid and have no access: pages, CSV and JSON."""
