"""The command by which a container asks whether what runs in it is alive, and a person beside it; without curl."""

from __future__ import annotations

import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

PATIENCE_SECONDS = 2.0  # for each step of the answer; a door that is well answers within milliseconds
_MOST_BYTES = 4096  # of what a door says: room for its faults


def healthy(
    url: Annotated[str, typer.Argument(help="What to ask instead, like http://127.0.0.1:8082/readyz.")] = "",
) -> None:
    """Ask whether what runs on this machine is alive: the private doors that the settings name, or URL.

    Ends with 0 when somebody answers and all who do are well; with 1 when nobody answers, or one is stuck. With a URL
    the settings are not read, which takes half the time: so it is what to ask every few seconds.

    Example: onhook healthy http://127.0.0.1:8081/livez
    """
    import http.client

    asked = [url] if url else _doors()
    heard = {one: _ask(one) for one in asked}
    is_well = True
    for one, answer in heard.items():
        if answer is not None:
            status, said = answer
            is_well = is_well and status == http.client.OK
            typer.echo(f"{one}: {said}")
    if not any(heard.values()):
        typer.echo(f"onhook: nobody listens at {', '.join(asked)}", err=True)
        is_well = False
    sys.exit(0 if is_well else 1)


def _doors() -> list[str]:
    """Return where the private doors of this machine's processes say whether they live."""
    from service import settings

    doors = settings.read().doors
    return [f"{settings.url_of(address)}/livez" for address in (doors.private, doors.worker)]


def _ask(url: str) -> tuple[int, str] | None:
    """Return the status and the words of an answer; status 0 for one that is none, None where nobody listens."""
    import http.client

    host, port, path = _parts(url)
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read(_MOST_BYTES).decode("utf-8", "replace")
    except ConnectionRefusedError:
        return None
    except TimeoutError:
        return 0, f"no answer within {PATIENCE_SECONDS:g} s"
    except (OSError, http.client.HTTPException) as fault:
        return 0, f"no answer: {type(fault).__name__}"
    finally:
        connection.close()
    return answer.status, "".join(one if one.isprintable() else " " for one in f"{answer.status} {said}")


def _parts(url: str) -> tuple[str, int | None, str]:
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname:
            return parts.hostname, parts.port, parts.path or "/"
    except ValueError:  # a port that is no number, half an IPv6 address
        pass
    raise typer.BadParameter("is written like http://127.0.0.1:8081/livez", param_hint="URL")
