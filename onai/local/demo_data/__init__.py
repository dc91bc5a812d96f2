"""The made-up people and leads of the demo."""
