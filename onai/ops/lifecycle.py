"""Whether this process has been told to end."""

import threading

# Set when it finishes what it has and wants nothing new.
stopping = threading.Event()
