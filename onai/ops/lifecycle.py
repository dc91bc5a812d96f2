"""Whether this process has been told to stop."""

import threading

# Set while it finishes its requests and accepts no new ones.
stopping = threading.Event()
