"""Fragments of pages that renew themselves, and how an answer for one is told from another page.

`live.js` swaps in nothing else: no sign-in page, no error page, no page of a proxy, and no figures
of another user who has signed in since in another tab.
"""

from django.http import HttpResponse

from onai.identity.roles import IdentifiedRequest
from onai.identity.session import form_owner

HEADER = "X-Fragment-For"


def marked(request: IdentifiedRequest, response: HttpResponse) -> HttpResponse:
    """The answer, marked for the pages of this person."""
    response[HEADER] = form_owner.mark_of(request.identity)
    return response
