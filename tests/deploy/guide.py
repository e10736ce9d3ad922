"""The part of deploy/genesys/README.md that is made from the table of explanations, so that the two cannot drift.

`python -m tests.deploy.guide` prints it as it must stand between the two marks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from service.sandbox.diagnosis import ELSEWHERE, TABLE, explain

BEGIN = "<!-- made from service/sandbox/diagnosis.py by: python -m tests.deploy.guide -->"
END = "<!-- made until here -->"
API = "/api/v2/conversations"

# what was sent, in the order of the reports: (method, path, body)
SENT = [
    (
        "PATCH",
        f"{API}/calls/{{conversationId}}",
        '{"participants":[{"participantId":"abc-123","action":"disconnect"}]}',
    ),
    ("POST", f"{API}/{{conversationId}}/disconnect", '{"participantIds":["p-12345678-90ab-cdef-1234-567890abcdef"]}'),
    (
        "PATCH",
        f"{API}/conversations/{{conversationId}}",
        '{"participants":[{"participantId":"a1b2c3d4-e5f6-7890-abcd-ef1234567890","action":"disconnect"}]}',
    ),
    (
        "PATCH",
        f"{API}/conversations/{{conversationId}}",
        '{"participants":[{"participantId":"…","action":"update"},{"participantId":"…","action":"disconnect"}]}',
    ),
    ("PUT", f"{API}/phone/participants/{{participantId}}", '{"status":"disconnected"}'),
    ("POST", f"{API}/voice/participants", '{"participantId":"3a4b5c6d-…","action":"disconnect"}'),
]


def guide() -> str:
    """Return the made part, marks included."""
    return "\n".join([BEGIN, "", *_messages(), *_others(), END])


def _messages() -> Iterator[str]:
    for method, path, body in SENT:
        row = explain(method, path, body).row
        yield f"### `{f'{row.status} {row.answer}'.strip()}`"
        yield ""
        yield f"to `{method} {path}` with `{body}`"
        yield ""
        yield f"- {row.what} {row.does} *({row.ground})*"
        yield f"- Why you saw {row.status} is not confirmed; this tells you: {row.tells} *(reported only)*"
        yield f"- Instead: {row.right}"
        yield ""


def _others() -> Iterator[str]:
    told = {explain(*sent).row.name for sent in SENT} | {ELSEWHERE}
    yield "### Other calls that people try"
    yield ""
    for row in TABLE:
        if not row.is_right and row.name not in told:
            yield f"- **{row.name.replace('-', ' ')}**: {row.what} {row.does} *({row.ground})*"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(guide() + "\n")
