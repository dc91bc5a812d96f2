"""httpx for the servers of the tests, which speak no TLS.

On its own httpx reads the machine's certificates for each call, which takes longer than the answer.
"""

from functools import partial

import httpx

request = partial(httpx.request, verify=False)
get = partial(httpx.get, verify=False)
post = partial(httpx.post, verify=False)
delete = partial(httpx.delete, verify=False)
