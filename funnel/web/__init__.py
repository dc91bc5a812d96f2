"""The funnel as pages, files and JSON."""
