"""The commands for when a source is not believed: sign as it would, and say in words what is wrong with a delivery."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

NOT_VALID = 1
Source = Annotated[str, typer.Option(help="The configured source.")]
Body = Annotated[Path | None, typer.Option(help="A file with the body's bytes; standard input without it.")]
Json = Annotated[bool, typer.Option("--json", help="Say it as one JSON document, for programs.")]


def sign(
    source: Source,
    body: Body = None,
    delivery_id: Annotated[str, typer.Option("--id", help="The id that is signed; a new one without it.")] = "",
    at: Annotated[str, typer.Option(help="The moment that is signed, like 2026-11-20T09:00:00Z; now without it.")] = "",
    curl: Annotated[bool, typer.Option("--curl", help="Print a curl command that sends it.")] = False,
    as_json: Json = False,
) -> None:
    """Print the headers under which this source would send a body. Nothing is sent, and no secret is printed.

    Ends with 0, or with 2 when the settings cannot be used or there is no such source.

    Example: onhook sign --source servicenow --curl --body body.json
    """
    from service.wiring.proving import sign as signed

    content = _read(body)
    made = signed(source, content, delivery_id, at)
    if as_json:
        typer.echo(json.dumps({"url": made.url, "headers": made.headers}, indent=1))
    elif curl:
        said = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in made.headers.items())
        typer.echo(f"curl -sS {said} --data-binary {_quoted(body, content)} {shlex.quote(made.url)}")
    else:
        typer.echo("\n".join(f"{name}: {value}" for name, value in made.headers.items()))


def verify(
    source: Source,
    header: Annotated[
        list[str] | None, typer.Option(help="One header of it, 'name: value'; as often as needed.")
    ] = None,
    headers: Annotated[Path | None, typer.Option(help="A file with its headers, one a line, or a JSON object.")] = None,
    body: Body = None,
    at: Annotated[str, typer.Option(help="When it arrived, of an old capture; now without it.")] = "",
    query: Annotated[str, typer.Option(help="What stood behind the ? of the address.")] = "",
    as_json: Json = False,
) -> None:
    """Say whether a captured webhook is believed, or why not, in words; and what its body asks. Nothing is done.

    It tries what usually goes wrong: another source's secret, a secret in the wrong encoding, a body that was written
    anew after it was signed. Ends with 0 when the signature is valid, 1 when not, 2 when the settings cannot be used or
    there is no such source.

    Example: onhook verify --source servicenow --headers headers.txt --body body.json
    """
    import asyncio

    from service.core.errors import Misconfigured
    from service.wiring.captured import headers_in
    from service.wiring.proving import examine

    try:
        text = headers.read_text(encoding="utf-8", errors="surrogateescape") if headers else ""
    except OSError as fault:
        raise Misconfigured([f"--headers: {headers} cannot be read: {fault.strerror}"]) from None
    found = asyncio.run(examine(source, headers_in(header or [], text), _read(body), at, query))
    diagnosis, is_valid = found.diagnosis, not found.diagnosis.causes
    if as_json:
        said = {
            "source": source,
            "valid": is_valid,
            "secret": diagnosis.secret_fingerprint or None,
            "causes": diagnosis.causes,
            "sentences": diagnosis.sentences,
            "warnings": found.warnings,
            "asked": [{"what": one.what, "sentence": one.sentence} for one in found.asked],
        }
        typer.echo(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        lines = [f"{'valid' if is_valid else 'not valid'}: {'. And '.join(diagnosis.sentences)}."]
        lines += [f"but {one}." for one in found.warnings]
        lines += [f"{'' if is_valid else 'were it valid, '}{one.sentence}" for one in found.asked]
        typer.echo("\n".join(lines))
    sys.exit(0 if is_valid else NOT_VALID)


def _read(path: Path | None) -> bytes:
    from service.core.errors import Misconfigured

    if path is None:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Misconfigured([f"--body: {path} cannot be read: {fault.strerror}"]) from None


def _quoted(path: Path | None, content: bytes) -> str:
    """Return the body as a word of a shell: the file's name, or the text itself."""
    from service.core.errors import Misconfigured

    if path is not None:
        return shlex.quote(f"@{path}")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or text.startswith("@"):
        raise Misconfigured(["--curl: the body is no text that a shell can hold; put it into a file: --body FILE"])
    return shlex.quote(text)
