"""Finds out, once for each request, who is asking."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse

from onai.identity import audit, supabase
from onai.identity.roles import Identity, VisitorRequest
from onai.identity.session import cookies, tokens
from onai.identity.staff import standing
from onai.identity.supabase import Tokens
from onai.web.problems import Problem

_ONLY_READS = ("GET", "HEAD", "OPTIONS", "TRACE")


@dataclass(frozen=True, slots=True)
class _Outcome:
    identity: Identity | None = None
    access_token: str | None = None
    problem: Problem | None = None
    renewed: Tokens | None = None
    session_is_over: bool = False


class IdentityMiddleware:
    """Sets `request.identity`, and keeps the browser's session cookies in step with Supabase.

    A program identifies itself by `Authorization: Bearer`. Then the cookies are ignored and no CSRF
    token is required, because no browser sends that header by itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: VisitorRequest) -> HttpResponse:
        bearer = _bearer_token(request)
        if bearer is None:
            outcome = _by_cookies(request, *cookies.read(request))
        else:
            outcome = _by_token(request, bearer)
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        request.identity = outcome.identity
        request.access_token = outcome.access_token
        request.identity_problem = outcome.problem

        response = self.get_response(request)

        if not cookies.is_decided(response):
            if outcome.renewed:
                cookies.keep(response, outcome.renewed)
            elif outcome.session_is_over:
                cookies.drop(response)
        return response


def _bearer_token(request: HttpRequest) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _by_token(request: HttpRequest, token: str) -> _Outcome:
    try:
        return _identified(request, token, tokens.verify(token))
    except tokens.TokenInvalid:
        return _Outcome()
    except Problem as problem:
        return _Outcome(problem=problem)


def _by_cookies(request: HttpRequest, access: str, refresh: str) -> _Outcome:
    if not access and not refresh:
        return _Outcome()
    try:
        return _identified(request, access, tokens.verify(access))
    except tokens.TokenInvalid:
        # Expired, or signed with a key that was rotated: Supabase decides.
        return _by_refreshing(request, refresh) if refresh else _Outcome(session_is_over=True)
    except Problem as problem:
        return _Outcome(problem=problem)


def _by_refreshing(request: HttpRequest, refresh: str) -> _Outcome:
    try:
        renewed = supabase.refresh(refresh, visitor=audit.address_of(request))
    except supabase.SessionEnded:
        return _Outcome(session_is_over=True)
    except Problem as problem:
        return _Outcome(problem=problem)
    try:
        claims = tokens.verify_fresh(renewed.access_token)
        return _identified(request, renewed.access_token, claims, renewed=renewed)
    except Problem as problem:
        # The old token is used up, so the new ones are kept until they can be verified.
        return _Outcome(access_token=renewed.access_token, problem=problem, renewed=renewed)
    except tokens.TokenInvalid:
        return _Outcome(
            access_token=renewed.access_token, problem=supabase.AuthUnavailable(), renewed=renewed
        )


def _identified(
    request: HttpRequest,
    access_token: str,
    claims: Mapping[str, Any],
    *,
    renewed: Tokens | None = None,
) -> _Outcome:
    """The person behind a verified token. Raises TokenInvalid."""
    try:
        identity = standing.identify(claims, may_remember=request.method in _ONLY_READS)
    except ValueError as error:
        raise tokens.TokenInvalid from error
    except standing.AccessEnded as ended:
        audit.record("access_ended", request, user_id=claims["sub"], reason=ended.why.value)
        return _Outcome(session_is_over=True)
    except Problem as problem:
        # Nobody can say what it is good for; whoever signs out ends this session all the same.
        return _Outcome(access_token=access_token, problem=problem, renewed=renewed)
    return _Outcome(identity=identity, access_token=access_token, renewed=renewed)
