"""How the systems of the vectors prove themselves, as settings say it, and a sender that signs by hand."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from service.core import model as m
from service.sources.schemes import SignatureOptions

# by the names of signatures.json; a system that has two headers has two of them
SCHEMES: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "hub_signature_256": (
        {"header": "X-Hub-Signature-256", "prefix": "sha256=", "encoding": "hex"},
        {"header": "X-Hub-Signature", "prefix": "sha256=", "encoding": "hex"},
    ),
    "intercom": ({"header": "X-Hub-Signature", "prefix": "sha1=", "encoding": "hex", "digest": "sha1"},),
    "zendesk": (
        {
            "header": "X-Zendesk-Webhook-Signature",
            "content": "{timestamp}{body}",
            "timestamp_header": "X-Zendesk-Webhook-Signature-Timestamp",
            "timestamp": "rfc3339",
        },
    ),
    "pagerduty_v3": ({"header": "X-PagerDuty-Signature", "prefix": "v1=", "separator": ",", "encoding": "hex"},),
    "slack": (
        {
            "header": "X-Slack-Signature",
            "content": "v0:{timestamp}:{body}",
            "timestamp_header": "X-Slack-Request-Timestamp",
            "prefix": "v0=",
            "encoding": "hex",
        },
    ),
    "hubspot_v3": (
        {
            "header": "X-HubSpot-Signature-v3",
            "content": "POST{url}{body}{timestamp}",
            "timestamp_header": "X-HubSpot-Request-Timestamp",
            "timestamp": "milliseconds",
            "url": "https://www.example.com/webhook_uri",
        },
    ),
    "teams_outgoing": ({"header": "Authorization", "prefix": "HMAC ", "key": "base64"},),
    "stripe_style": (
        {
            "header": "Stripe-Signature",
            "content": "{timestamp}.{body}",
            "timestamp_header": "Stripe-Signature",
            "timestamp_item": "t=",
            "prefix": "v1=",
            "separator": ",",
            "encoding": "hex",
        },
    ),
    "shopify_style": ({"header": "X-Shopify-Hmac-Sha256"},),
    "gitlab_token": ({"scheme": "header", "header": "X-Gitlab-Token"},),
    "timestamped_hmac_base64": (
        {"header": "X-SN-Signature", "content": "{timestamp}:{body}", "timestamp_header": "X-SN-Timestamp"},
    ),
    "plain_hmac_hex": ({"header": "X-Webhook-Signature", "encoding": "hex"},),
}


def layout_of(scheme: str, **changes: object) -> SignatureOptions:
    """Return the settings of the first layout of a scheme, with some changed."""
    return SignatureOptions.model_validate({**SCHEMES[scheme][0], **changes})


def by_hand(options: SignatureOptions, secret: bytes, delivery_id: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers of an `hmac`, made without a line of what is tested."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    stamp = {
        "seconds": str(at // 1000),
        "milliseconds": str(at),
        "rfc3339": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }[options.timestamp]
    head, tail = options.content.replace("{url}", options.url).split("{body}")
    content = body.join(
        part.replace("{id}", delivery_id).replace("{timestamp}", stamp).encode() for part in (head, tail)
    )
    mac = hmac.new(secret, content, options.digest)
    said = options.prefix + (
        base64.b64encode(mac.digest()).decode() if options.encoding == "base64" else mac.hexdigest()
    )
    headers = {options.id_header: delivery_id, options.timestamp_header: stamp}
    headers[options.header] = (
        f"{options.timestamp_item}{stamp}{options.separator}{said}" if options.timestamp_item else said
    )
    return {name: value for name, value in headers.items() if name}


def arriving(headers: Mapping[str, str], body: bytes, at: int, query: bytes = b"") -> m.Delivery:
    """Return a delivery with these headers; their names are lower-case on arrival."""
    return m.Delivery("desk", tuple((k.lower().encode(), v.encode()) for k, v in headers.items()), body, at, query)
