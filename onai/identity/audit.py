"""Audit log: who did what, and from which address. E-mails appear only as keyed digests."""

import logging
import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from onai import encryption

logger = logging.getLogger(__name__)

# A peer in one of these networks is our load balancer: its X-Forwarded-For is trusted.
_OURS = [
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10"),
    )
]
_DIGEST_LETTERS = 16
# Some load balancers append the visitor's port: `192.0.2.1:443`, `[2001:db8::1]:443`.
_WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([\d.]+):\d+", re.ASCII)


def record(
    event: str,
    request: HttpRequest,
    *,
    user_id: UUID | None = None,
    email: str | None = None,
    **fields: Any,
) -> None:
    """Log an event with the visitor's IP address. Of `email`, only a digest is logged."""
    about: dict[str, Any] = {"visitor": address_of(request), **fields}
    if user_id is not None:
        about["user_id"] = str(user_id)
    if email is not None:
        about["email_digest"] = digest_of(email)
    logger.info(event, extra=about)


def digest_of(email: str) -> str:
    """A keyed digest of an e-mail, in any case: equal digests mean equal e-mails."""
    return encryption.fingerprint(email.lower(), purpose="audit")[:_DIGEST_LETTERS]


def address_of(request: HttpRequest) -> str:
    """The visitor's IP address; empty if it is unknown.

    This is the peer's address, or the last one in `X-Forwarded-For` if the peer is our load
    balancer.
    """
    peer = _address(request.META.get("REMOTE_ADDR"))
    if peer is None or _is_ours(peer):
        peer = _forwarded(request) or peer
    return str(peer or "")


def may_be_a_proxys(request: HttpRequest) -> bool:
    """Whether `address_of` may return a proxy's address, which all visitors behind it share."""
    forwarded, visitor = request.headers.get("X-Forwarded-For", ""), _address(address_of(request))
    is_visitors = "," not in forwarded and visitor == _forwarded(request) and not _is_ours(visitor)
    return bool(forwarded) and not is_visitors


def network_of(address: str) -> str:
    """The unit of rate limits: an IPv4 address, or the /64 network of an IPv6 address."""
    known = _address(address)
    if isinstance(known, IPv6Address):
        return str(IPv6Network((int(known) >> 64 << 64, 64)))
    return address


def _forwarded(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """The address from which the last proxy says that it received the request."""
    last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    with_port = _WITH_PORT.fullmatch(last)
    return _address(with_port[1] or with_port[2] if with_port else last)


def _is_ours(address: IPv4Address | IPv6Address | None) -> bool:
    return address is not None and any(address in network for network in _OURS)


def _address(text: object) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(str(text).strip())
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        # Drop the scope id (the name of a network interface).
        return found.ipv4_mapped or IPv6Address(int(found))
    return found
