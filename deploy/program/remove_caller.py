#!/usr/bin/env python3
"""Asks Onhook to remove one person from a Genesys Cloud conversation; needs Python 3.9 and its standard library.

    REMOVE_CALLER_URL=https://onhook.example/webhooks/NAME REMOVE_CALLER_SECRET_FILE=secret \
      python3 remove_caller.py CONVERSATION_ID caller_phone +14155550123

The person is named by caller_phone, participant_id, user_id or external_contact_id. Prints the answer, and ends as
README.md beside this file says. `remove` is what a program of one's own takes over.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

EXIT_CODES = {
    "disconnected": 0,
    "already_gone": 0,
    "previewed": 0,
    "not_found": 10,
    "refused": 11,
    "expired": 12,
    "failed": 13,
    "unknown": 14,
}
NOT_ACCEPTED, NO_OUTCOME = 3, 4
NAMES = ("caller_phone", "participant_id", "user_id", "external_contact_id")
TRIES = 6
LATER = (429, 503)


def remove(url: str, secret: str, conversation_id: str, **person: str) -> tuple[int, dict]:
    """Sign and post one click, and return the status and what was answered.

    Whatever is repeated in here carries one id, and counts once: no answer, a 429 and a 503 are tried again.
    """
    click = {
        "type": "caller.remove",
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),  # noqa: UP017 -- Python 3.9 has no UTC
        "data": {"conversation_id": conversation_id, **person},
    }
    body = json.dumps(click).encode()
    name = f"msg_{secrets.token_hex(16)}"
    for tries_left in reversed(range(TRIES)):
        pause = 1.0
        try:
            with urllib.request.urlopen(_signed(url, secret, name, body), timeout=30) as answer:  # noqa: S310 -- our own address
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            if refusal.code not in LATER or not tries_left:
                return refusal.code, json.loads(refusal.read() or b"{}")
            pause = float(refusal.headers.get("retry-after") or pause)
        except (OSError, http.client.HTTPException):  # no answer, or half of one
            if not tries_left:
                raise
        time.sleep(pause)
    raise AssertionError


def _signed(url: str, secret: str, name: str, body: bytes) -> urllib.request.Request:
    """Return the delivery, signed by Standard Webhooks at this moment."""
    stamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "prefer": "wait=20",  # for the outcome; without it the answer is the receipt alone
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
    return urllib.request.Request(url, body, headers)  # noqa: S310 -- our own address


def main() -> int:
    """Run as a command."""
    _, conversation_id, named_by, value = sys.argv if len(sys.argv) == 4 else [""] * 4  # noqa: PLR2004 -- as said above
    if named_by not in NAMES:
        sys.stderr.write(f"usage: remove_caller.py CONVERSATION_ID {'|'.join(NAMES)} VALUE\n")
        return 2
    secret = Path(os.environ["REMOVE_CALLER_SECRET_FILE"]).read_text(encoding="utf-8").strip()
    try:
        status, said = remove(os.environ["REMOVE_CALLER_URL"], secret, conversation_id, **{named_by: value})
    except (OSError, http.client.HTTPException) as fault:
        sys.stderr.write(f"no answer: {fault}\n")
        return NOT_ACCEPTED
    sys.stdout.write(json.dumps(said) + "\n")
    if status >= 300:  # noqa: PLR2004 -- an HTTP status is its own name
        return NOT_ACCEPTED
    outcome = said.get("outcome")
    return EXIT_CODES.get(outcome["kind"], EXIT_CODES["unknown"]) if outcome else NO_OUTCOME


if __name__ == "__main__":
    sys.exit(main())
