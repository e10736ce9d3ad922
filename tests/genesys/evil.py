"""Ids that are none: what an id must not be when it becomes part of a path."""

from collections.abc import Iterator

from tests.genesys.peers import PID

# what climbs, ends, splits or renames a path, or a host, or a request
TRICKS = (
    *("..", ".", "../..", "../../..", "./", "/", "//", "///", "\\", "..\\..", "..;/", ";", ";a=b", ",", ":", "::", "~"),
    *("?", "?expand=x", "?state=disconnected", "..?", "#", "#x", "..#", "&", "=", "*", "$", "!", "'", '"', "`", "|"),
    *("%", "%2e", "%2e%2e", "%2E%2E%2F", "%252e%252e", "%2f", "%5c", "%00", "%0d%0a", "%3f", "%23", "%c0%ae", "%u002e"),
    *("//evil.example", "@evil.example", ":80", "http://evil.example/", "https:evil.example", "[::1]", "evil.example"),
    *(
        "\r\n",
        "\n",
        "\r",
        "\t",
        "\0",
        "\x0b",
        "\x1b",
        "\x7f",
        " ",
        "  ",
        "\u00a0",
        "\u2028",
        "\u200b",
        "\ufeff",
        "\u202e",
    ),
    *("\r\nX-Evil: y", " HTTP/1.1\r\nHost: evil.example\r\n\r\n", "/disconnect", "/participants", "/communications/"),
    *(
        "/user/",
        "/wrapup",
        "/replace",
        "phone/",
        "calls/",
        "conferences/",
        "conversations/",
        "{",
        "}",
        "<script>",
        "p-",
    ),
)
# digits and letters that are taken for others by whoever is careless about Unicode
ALIKE = (
    "\uff10",
    "\u0663",
    "\u0966",
    "\u06f5",
    "\U0001d7ce",
    "\u2460",
    "\u00b2",
    "\u0430",
    "\u0435",
    "\uff41",
    "\u0131",
)
WHOLE = (
    *("", "x", "0", "null", "None", "true", "me", "self", "all", "PID", "undefined", "abc-123", "conversationId"),
    *(
        PID.upper(),
        f"{{{PID}}}",
        f"urn:uuid:{PID}",
        PID.replace("-", ""),
        PID.replace("-", "\u2010"),
        PID.replace("-", "_"),
        PID * 2,
    ),
    *(
        f"{PID},{PID}",
        f"{PID}/{PID}",
        f"[{PID}]",
        f'"{PID}"',
        PID[:-1],
        f"{PID}0",
        PID[1:],
        f"-{PID}",
        PID[::-1],
        "x" * 9000,
    ),
)


def _all() -> Iterator[str]:
    yield from WHOLE
    for trick in TRICKS:
        yield from (trick, PID + trick, trick + PID, PID[:18] + trick + PID[18:])
    for letter in ALIKE:
        yield from (letter + PID[1:], PID[:-1] + letter)


EVIL = tuple(dict.fromkeys(_all()))
