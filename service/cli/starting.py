"""The command for the first day: it asks a few things, and writes settings that only watch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

Id = Annotated[
    str, typer.Option(help="Of its OAuth client (Client Credentials).", envvar="GENESYSCLOUD_OAUTHCLIENT_ID")
]
Secret = Annotated[
    str, typer.Option(help="Its secret; better in a file or there:", envvar="GENESYSCLOUD_OAUTHCLIENT_SECRET")
]
Password = Annotated[str, typer.Option(help="Of that user; better in a file or there:", envvar="SERVICENOW_PASSWORD")]


def init(
    org: Annotated[str, typer.Option(help="A short name for the Genesys Cloud organisation.")] = "",
    region: Annotated[str, typer.Option(help="Its region, like eu_central_1.", envvar="GENESYSCLOUD_REGION")] = "",
    client_id: Id = "",
    client_secret: Secret = "",
    client_secret_file: Annotated[Path | None, typer.Option(help="A file with that secret.")] = None,
    api_url: Annotated[str, typer.Option(help="Instead of a region: a sandbox's or a gateway's API.")] = "",
    login_url: Annotated[str, typer.Option(help="The same for the login.")] = "",
    kind: Annotated[str, typer.Option(help="What asks for removals: servicenow, standard.")] = "",
    source: Annotated[str, typer.Option(help="A short name for it; the kind's, if left out.")] = "",
    public_url: Annotated[str, typer.Option(help="Where it reaches Onhook: https://onhook.example.com")] = "",
    instance_url: Annotated[str, typer.Option(help="servicenow: https://acme.service-now.com")] = "",
    username: Annotated[str, typer.Option(help="servicenow: the user that writes work notes.")] = "",
    password: Password = "",
    password_file: Annotated[Path | None, typer.Option(help="A file with that password.")] = None,
    outcome_url: Annotated[str, typer.Option(help="standard: where outcomes are posted.")] = "",
    redis_url: Annotated[str, typer.Option(help="A Redis of your own; `onhook up` brings one.")] = "",
    folder: Annotated[Path, typer.Option(help="Where the files go.")] = Path(),
    non_interactive: Annotated[bool, typer.Option("--non-interactive", help="Never ask; say what is missing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    show_script: Annotated[bool, typer.Option("--show-script", help="Print the script too, secret and all.")] = False,
) -> None:
    """Ask what is needed to begin, and write onhook.toml in shadow mode, with the script for the first source.

    Every answer is an option too. The files hold secrets and are for their owner alone (mode 0600); what is there
    already is not overwritten. Ends with 2 when an answer is missing or wrong; nothing is written then.

    Example: onhook init
    """
    from service.wiring.founding import found

    genesys = {"org": org, "region": region, "client_id": client_id, "api_url": api_url, "login_url": login_url}
    around = {"kind": kind, "source": source, "public_url": public_url, "redis_url": redis_url}
    desk = {"instance_url": instance_url, "username": username, "outcome_url": outcome_url}
    hidden = {
        "client_secret": _secret("--client-secret", client_secret, client_secret_file),
        "password": _secret("--password", password, password_file),
    }
    given = genesys | around | desk | hidden
    answers = {key: answer for key, answer in given.items() if answer}
    if not non_interactive:
        try:
            _ask(answers)
        except typer.Abort:
            typer.echo("\nonhook: nothing is written; each answer is an option too: onhook init --help", err=True)
            raise
    made = found(folder, answers, may_overwrite=force)
    if show_script and made.shown:
        typer.echo(made.shown)
    _say_what_next(made.config, made.script)


def _secret(option: str, said: str, file: Path | None) -> str:
    """Return a secret from the option, its variable or its file."""
    from service.core.errors import Misconfigured

    if file is None:
        return said
    if said:
        raise Misconfigured([f"{option} and {option}-file both say it (or its variable does); leave one of them out"])
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise Misconfigured([f"{option}-file: {file} cannot be read: {fault.strerror}"]) from None
    except UnicodeDecodeError:
        raise Misconfigured([f"{option}-file: {file} is not text"]) from None


def _ask(answers: dict[str, str]) -> None:
    """Ask for what is missing, and again for what is wrong; each question stands alone, so the order may change."""
    from service.wiring.founding import asked_of, default_of, fault_of

    while waiting := [one for one in asked_of(answers) if not answers.get(one.key) or fault_of(one, answers)]:
        question = waiting[0]
        if answers.get(question.key):
            typer.echo(f"{question.option} {fault_of(question, answers)}", err=True)
        default = default_of(question, answers)
        answers[question.key] = typer.prompt(
            question.words, default=default, show_default=bool(default), hide_input=question.is_secret, err=True
        ).strip()


def _say_what_next(config: Path, script: Path | None) -> None:
    where = "" if config.parent == Path() else f"ONHOOK_CONFIG={config} "
    typer.echo(f"Written: {config} (shadow mode; there are secrets in it, so it is readable for you alone)")
    if script:
        typer.echo(f"Written: {script} (for the other side, address and secret in place; treat it like a password)")
    steps = [
        f"{where}onhook check: whether Genesys Cloud and Redis can be worked with, and what to mend",
        f"{where}onhook up: it takes webhooks, and tells each ticket who would be removed; nobody is",
        f"put {script} where its first lines say, and click" if script else "let the source sign and post: see README",
        f"{where}onhook check --test-call CONVERSATION --remove PARTICIPANT: one removal from a call made for it",
        f'mode = "live" in {config}, and start it again, when the previews were right often enough',
    ]
    typer.echo("\nNext:\n" + "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1)))
    sys.stdout.flush()
