"""Whether Resend takes our key and knows our sender's domain, as far as the key may see.

A key that may only send is refused any question, in other words than a wrong one.
"""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from onai import mail
from onai.ops.examination import Down

_TIMEOUT_SECONDS = 1.8
_MAY_ONLY_SEND = "restricted_api_key"


def check() -> str:
    """What was seen, for a probe. Raises `Down`, with what to do about it."""
    headers = {"Authorization": f"Bearer {settings.RESEND_API_KEY}", "User-Agent": "onai"}
    try:
        answer = mail.connections().get(
            f"{settings.RESEND_API_URL}/domains", headers=headers, timeout=_TIMEOUT_SECONDS
        )
    except httpx.HTTPError as error:
        raise Down(_("не отвечает")) from error
    body = _body(answer)
    refusal = body.get("name")
    if answer.status_code == httpx.codes.UNAUTHORIZED and refusal == _MAY_ONLY_SEND:
        return _("отвечает, ключ принят; он только для отправки, поэтому домен не видно")
    if answer.status_code in (400, 401, 403):
        raise Down(
            _("не принимает ключ: письма не уходят"),
            advice=_(
                "Сверьте RESEND_API_KEY с ключом в Resend: API Keys. Письма уйдут потом сами."
            ),
            reason="wrong_resend_key",
        )
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return _("отвечает, но просит спрашивать реже")
    if answer.is_error:
        raise Down(_("отвечает ошибкой %(status)s") % {"status": answer.status_code})
    return _domain_state(body)


def _domain_state(body: Mapping[str, Any]) -> str:
    """What Resend says of the sender's domain. Raises `Down` where it may not send from there."""
    ours = parseaddr(settings.RESEND_FROM_EMAIL)[1].rpartition("@")[2].lower()
    listed = body.get("data")
    domains = (
        [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    )
    states = {str(one.get("name")).lower(): str(one.get("status")) for one in domains}
    state, about = states.get(ours), {"domain": ours}
    if state == "verified":
        return _("отвечает, ключ принят, домен %(domain)s подтверждён") % about
    if state is None and body.get("has_more"):
        return _("отвечает, ключ принят")
    advice = _("Подтвердите домен отправителя в Resend: Domains. Письма уйдут потом сами.")
    seen = (
        _("домен %(domain)s не подтверждён: %(state)s") % {**about, "state": state}
        if state
        else _("домена %(domain)s в Resend нет") % about
    )
    raise Down(seen, advice=advice, reason="sender_domain")


def _body(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}
