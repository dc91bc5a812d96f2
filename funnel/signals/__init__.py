"""The watch over the marks that the funnel counts: which of them still come, since when not."""
