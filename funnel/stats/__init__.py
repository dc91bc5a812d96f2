"""Statistics without Django. It knows no lead and no page."""
