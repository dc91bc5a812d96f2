"""The funnel as JSON, whose keys never change."""
