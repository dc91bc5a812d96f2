"""The sales funnel, read from the Landing database: period → report → page or JSON."""
