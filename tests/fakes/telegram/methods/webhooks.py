"""setWebhook, deleteWebhook, getWebhookInfo."""

import re
from urllib.parse import SplitResult, urlsplit

from aiogram.methods import DeleteWebhook, GetWebhookInfo, SetWebhook

from tests.fakes.telegram.call import Call
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.mailbox import Webhook
from tests.fakes.telegram.views import Json, seconds

SECRET = re.compile(r"[A-Za-z0-9_-]+")
MAX_SECRET = 256
PORTS = (80, 88, 443, 8443)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_CONNECTIONS = 40


def set_webhook(call: Call, method: SetWebhook) -> bool:
    call.refuse_parameters(["certificate"])
    webhook = _webhook(method) if method.url else None
    _check_secret(method.secret_token or "")
    call.mailbox.allow(method.allowed_updates)
    if method.drop_pending_updates:
        call.mailbox.drop()
    call.mailbox.set_webhook(webhook)
    return True


def delete_webhook(call: Call, method: DeleteWebhook) -> bool:
    if method.drop_pending_updates:
        call.mailbox.drop()
    call.mailbox.set_webhook(None)
    return True


def get_webhook_info(call: Call, _: GetWebhookInfo) -> Json:
    webhook, failure = call.mailbox.webhook, call.mailbox.failure
    info: Json = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(call.mailbox.pending),
    }
    if webhook:
        info["max_connections"] = webhook.max_connections
    if failure:
        info |= {"last_error_date": seconds(failure.at), "last_error_message": failure.reason}
    if call.mailbox.allowed:
        info["allowed_updates"] = sorted(call.mailbox.allowed)
    return info


def _webhook(method: SetWebhook) -> Webhook:
    parts = urlsplit(method.url)
    if not parts.hostname:
        raise bad_request("bad webhook: Failed to resolve host: No address associated with hostname")
    if parts.hostname not in LOOPBACK:
        _check_public(parts)
    connections = min(max(method.max_connections or DEFAULT_CONNECTIONS, 1), 100)
    return Webhook(method.url, method.secret_token, connections)


def _check_public(parts: SplitResult) -> None:
    """A loopback address is the test's own and needs neither TLS nor one of Telegram's ports."""
    if parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _check_secret(secret: str) -> None:
    if len(secret) > MAX_SECRET:
        raise bad_request("secret token is too long")
    if secret and not SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
