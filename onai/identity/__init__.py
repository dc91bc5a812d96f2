"""Who is asking: sign-in, token verification, the role, and the guards on views."""
