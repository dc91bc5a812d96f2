"""Finds out, once for each request, who is asking."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from onai.errors import Problem
from onai.identity import cookies, supabase, tokens
from onai.identity.roles import Identity, VisitorRequest
from onai.identity.supabase import Tokens


@dataclass(frozen=True, slots=True)
class _Finding:
    identity: Identity | None = None
    access_token: str | None = None
    problem: Problem | None = None
    renewed: Tokens | None = None
    session_is_over: bool = False


class IdentityMiddleware:
    """Sets `request.identity`, and keeps the browser's session cookies in step with Supabase.

    A program names itself with `Authorization: Bearer`; then the cookies are not looked at, and
    no CSRF token is asked for, since no browser sends that header by itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: VisitorRequest) -> HttpResponse:
        bearer = _bearer_token(request)
        if bearer is None:
            found = _by_cookies(*cookies.read(request))
        else:
            found = _by_token(bearer)
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        request.identity = found.identity
        request.access_token = found.access_token
        request.identity_problem = found.problem

        response = self.get_response(request)

        if cookies.ACCESS_COOKIE not in response.cookies:  # else a view has decided already
            if found.renewed:
                cookies.keep(response, found.renewed)
            elif found.session_is_over:
                cookies.drop(response)
        return response


def _bearer_token(request: HttpRequest) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _by_token(token: str) -> _Finding:
    try:
        return _Finding(identity=_identity(token), access_token=token)
    except tokens.TokenInvalid:
        return _Finding()
    except Problem as problem:
        return _Finding(problem=problem)


def _by_cookies(access: str, refresh: str) -> _Finding:
    if not access and not refresh:
        return _Finding()
    try:
        return _Finding(identity=_identity(access), access_token=access)
    except tokens.TokenInvalid:
        # Expired, or signed with a key that has been rotated away: Supabase decides.
        return _by_refreshing(refresh) if refresh else _Finding(session_is_over=True)
    except Problem as problem:
        return _Finding(problem=problem)


def _by_refreshing(refresh: str) -> _Finding:
    try:
        renewed = supabase.refresh(refresh)
        identity = _identity(renewed.access_token)
    except (supabase.SessionEnded, tokens.TokenInvalid):
        return _Finding(session_is_over=True)
    except Problem as problem:
        return _Finding(problem=problem)
    return _Finding(identity=identity, access_token=renewed.access_token, renewed=renewed)


def _identity(access_token: str) -> Identity:
    claims = tokens.verify(access_token)
    try:
        return Identity.from_claims(claims)
    except ValueError as error:
        raise tokens.TokenInvalid from error
