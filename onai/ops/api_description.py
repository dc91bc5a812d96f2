"""The API's description of itself, for those who write programs against it."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.session.cookies import access_cookie
from onai.web.api.openapi import description


@role_required("admin", "sales")
@require_safe
def openapi_json(request: IdentifiedRequest) -> HttpResponse:
    described = description(access_cookie())
    return JsonResponse(described, json_dumps_params={"ensure_ascii": False})
