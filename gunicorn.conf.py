"""How gunicorn serves this product. What it leaves open, gunicorn's own flags decide."""

import sys

from onai import env

# Read here too, so that a bad environment stops the start with one message instead of one for
# each worker and try. The stand-ins are started by this file as well, and need no static files.
env.load(serves_pages=any(word.partition(":")[0] == "onai.wsgi" for word in sys.argv))

worker_class = "onai.ops.worker.Worker"
threads = 8
timeout = 60
# Longer than a load balancer keeps a connection that it may use again; else it meets a closed one.
keepalive = 75
graceful_timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
# Access logs would keep what people search for; the load balancer has its own.
accesslog = None
# One socket in the home folder would be shared by every gunicorn of this user.
control_socket_disable = True
# As long as gunicorn allows, so that our own page says of a question that it is too long.
limit_request_line = 8190
# The product is never served below a path, whoever says so.
forwarder_headers = ""
