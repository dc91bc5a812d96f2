"""Every act on a student, across our tables and Supabase Auth: all of it or nothing."""
