"""Students and the managers who open their access, in the Tripwire database."""
