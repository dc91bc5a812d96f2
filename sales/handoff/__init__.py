"""Who paid and has no access: persons joined from Landing's leads and the students of Tripwire."""
