"""The cabinet: pages that list students, figures and acts, and say whose."""
