"""gunicorn's settings for this product. Its own flags decide the rest."""

import gc
import sys
from typing import Any

from onai import env

# Read here too, so that a bad environment stops the start with one message instead of one for each
# worker and attempt. The stand-ins use this file as well, and need no static files.
env.load(serves_pages=any(word.partition(":")[0] == "onai.wsgi" for word in sys.argv))

worker_class = "onai.ops.worker.Worker"
threads = 8
timeout = 60
# Longer than a load balancer keeps an idle connection, so that it never uses a closed one.
keepalive = 75
graceful_timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
# Access logs would store what people search for; the load balancer has its own.
accesslog = None
# Every gunicorn of this user would share one socket in the home folder.
control_socket_disable = True
# The longest that gunicorn allows, so that our own page reports an address that is too long.
limit_request_line = 8190
# The product is never served below a path, whatever a header says.
forwarder_headers = ""


def post_worker_init(worker: Any) -> None:
    """Spare the code from every look for garbage: it is half a million objects and stays, and one
    look at them takes as long as a hundred kept answers."""
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018 - imports the views, which else the first request does
    gc.collect()
    gc.freeze()
