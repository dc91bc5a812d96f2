"""The addresses that letters and messages to students hold."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings

from onai import env_values
from onai.identity.recovery.requests import own_address


def platform_login(email: str) -> str:
    """The platform's sign-in with the student's e-mail filled in."""
    parts = urlsplit(settings.PLATFORM_LOGIN_URL)
    query = "&".join(filter(None, [parts.query, urlencode({"email": email})]))
    return parts._replace(query=query).geturl()


def is_this_site(url: str) -> bool:
    """Whether an address is of this site and not of the platform."""
    ours = [settings.SITE_URL, *(f"https://{host}" for host in settings.ALLOWED_HOSTS)]
    return any(env_values.same_site(url, one) for one in ours)


def forgot_password(email: str, language: str) -> str:
    """Our page that sends a letter with which one sets a password of one's own."""
    return own_address("forgot-password", language, email=email)
