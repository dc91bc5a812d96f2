"""The addresses that letters and messages to students hold."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse


def platform_login(email: str) -> str:
    """The platform's sign-in with the student's e-mail filled in."""
    parts = urlsplit(settings.PLATFORM_LOGIN_URL)
    query = "&".join(filter(None, [parts.query, urlencode({"email": email})]))
    return parts._replace(query=query).geturl()


def forgot_password(email: str) -> str:
    """Our page that sends a letter with which one sets a password of one's own."""
    return f"{settings.SITE_URL}{reverse('forgot-password')}?{urlencode({'email': email})}"
