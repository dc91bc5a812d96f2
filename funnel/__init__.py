"""The sales funnel, read from the Landing database: question → answers → page, CSV or JSON."""
