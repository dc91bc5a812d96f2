"""The sales desk as pages and JSON."""
