"""Parts of pages that keep themselves current: what tells an answer for them from any other page.

`live.js` swaps in nothing else: no sign-in page, no error page, nothing of a proxy on the way, and
no figures of somebody who has signed in since in another tab.
"""

from django.http import HttpResponse

from onai.identity.roles import IdentifiedRequest
from onai.identity.session import form_owner

HEADER = "X-Fragment-For"


def marked(request: IdentifiedRequest, response: HttpResponse) -> HttpResponse:
    """The answer, marked as one that a page drawn for this person may take up."""
    response[HEADER] = form_owner.mark_of(request.identity)
    return response
