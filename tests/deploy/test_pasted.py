"""Every command on our pages is run as it stands, or it is known why not and what looks at it instead."""

from __future__ import annotations

import ast
import asyncio
import base64
import hashlib
import json
import os
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.pasted import PAGES, ROOT, Shell, blocks, called, codes, lines
from tests.story.stage import CALLER, Stage, staged

INDEX = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
NUMBER = "INC0010112"  # of the ticket that the pages speak of
FAILS = {"on": "look", "status": 403, "code": "missing.permissions", "times": None}
AT_ONCE = 3  # a start of Python is work for a core, and there are two


# what `onhook init` asks, a line each
ANSWERS = (
    "first\neu_central_1\n0a1b2c3d-1111-4222-8333-444455556666\na-play-secret-for-nobody\nservicenow\n\n"
    "https://onhook.example\nhttps://acme.service-now.com\nonhook\na-play-password\n"
)


@dataclass(frozen=True)
class Run:
    """A line that is pasted: with which code it ends, what it says, and what a person types when asked.

    Attributes:
        file: into which it writes what it says.
    """

    line: str
    says: str = ""
    typed: str = ""
    code: int = 0
    file: str = ""


# whatever only looks, in any order: the lines of the pages as they stand there, then what their sentences mean
LOOKS: Final = (
    Run("onhook --help", "demo"),
    Run("onhook --version", "."),
    Run("onhook healthy"),
    Run("onhook check", "fine"),
    Run("onhook stats", "acme"),
    Run("onhook refusals", "servicenow"),
    Run("onhook refusals --source servicenow", "servicenow"),
    Run("onhook actions list --since 15m", NUMBER),
    Run("onhook actions list --outcome previewed --since 24h", "previewed"),
    Run("onhook actions list --outcome disconnected --since 24h", NUMBER),
    Run("onhook actions list --outcome unknown --since 24h"),
    Run("onhook actions list --outcome failed --since 24h", "failed"),
    Run(f"onhook actions show {NUMBER}", "disconnected"),
    Run("onhook actions export --format csv --since 30d > actions.csv", NUMBER, file="actions.csv"),
    Run("onhook actions export --outcome previewed --format csv --since 7d > previews.csv", ",", file="previews.csv"),
    Run("onhook audit --since 24h", NUMBER),
    Run("onhook audit --format csv --since 2026-11-01 > audit.csv", NUMBER, file="audit.csv"),
    Run("onhook dead list", "No Record found"),
    Run("onhook admit beth --role operator", "[console.tokens.beth]"),
    Run("curl -sS http://127.0.0.1:8081/readyz", '"mode"'),
    Run("curl -sS http://127.0.0.1:8081/metrics | grep onhook_newer_records", "onhook_newer_records"),
    Run('onhook healthy "$PRIVATE/readyz"'),
    Run("onhook check --json", '"is_fine": true'),
    Run("onhook forget --log"),
    Run("onhook --install-completion", "completion"),
    Run("onhook explain DELETE /api/v2/conversations/$CID --body '{}'", "everyone"),
    Run("onhook sign --source servicenow --body body.json --curl", "webhook-signature"),
    Run(
        "onhook sign --source servicenow --body body.json > headers.txt"
        " && onhook verify --source servicenow --headers headers.txt --body body.json",
        "valid",
    ),
    Run('onhook preview --source servicenow --conversation "$CID" --phone +14155550123', "Nobody was removed"),
)
# whatever changes something, in this order
ACTS: Final = (
    Run("onhook send --source sandbox --conversation $CID --phone +14155550123 --wait 10", "disconnected"),
    Run('onhook check --test-call "$CONVERSATION" --remove "$PARTICIPANT"', 'mode = "live"', "$PARTICIPANT"),
    Run('onhook actions replay "$ACTION" --within 120 --why "the desk was down"', "already_gone", "y"),
    Run(
        "onhook dead list && onhook dead retell --cause 'No Record found' --why 'the tickets are back'",
        "No Record found",
        "y",
    ),
    Run('onhook pause --why "looking into it"', "acme"),
    Run('onhook pause --why "going back to shadow"', "acme"),
    Run('onhook actions drop "$OPEN" --why "wrong caller"', "Dropped", "y"),
    Run("onhook resume", "acme"),
    Run("onhook pause --source servicenow", "servicenow"),
    Run("onhook resume --source servicenow", "servicenow"),
    Run("onhook forget --phone +14155550123", "may still be on its way", "y", code=1),
    Run("onhook init", "onhook.toml", ANSWERS),
)
# whatever goes on until Ctrl-C, once it has said that
WATCHES: Final = (
    Run("onhook tail", "failed"),
    Run('onhook tail --json | grep --line-buffered \'"outcome": "failed"\'', '"failed"', code=130),
    Run("onhook sandbox --port 0 --world reported", "The sandbox is at"),
)
# lines that another test runs as they stand: how they begin, and which
ELSEWHERE: Final = {
    r"SANDBOX=|CID=\$\(curl|SYS=|ID=msg_": "story/test_readme.py::test_curl_and_openssl_are_enough",
    r"(?:echo; )?curl -sS \$SANDBOX": "story/test_readme.py::test_curl_and_openssl_are_enough",
    r"export REMOVE_CALLER_URL=|\./remove.caller": "deploy/test_program.py::test_each_example_removes_one_person",
    r"DOOR=\S+ .*\./pipeline-step": "deploy/test_program.py::test_the_step_of_a_pipeline",
    r"ONHOOK_REDIS__URL=\S+ bash \.\./after-apply": "deploy/test_terraform.py::test_the_step_after_apply",
    r"curl .*https://(login|api)\.\$DOMAIN": "deploy/test_pasted.py::test_by_hand",
}
# pages whose blocks a story pastes in its own order, and says that it left none
STORIES: Final = {
    "deploy/backup.md": "story/test_restore.py::test_backup_wipe_restore",
    "deploy/move-redis.md": "story/test_moving_redis.py::test_by_following",
    "deploy/secrets.md": "story/test_changing_secrets.py::test_each_secret_is_changed",
}
# commands of ours that go on, or take long: who starts them as they are
FAR: Final = {
    "serve": "deploy/test_pasted.py::test_what_only_looks",
    "work": "deploy/test_pasted.py::test_what_only_looks",
    "up": "story/test_readme.py::test_curl_and_openssl_are_enough",
    "demo": "demo/test_story.py::test_every_scene_is_told",
    "chaos": "demo/test_chaos.py::test_small_chaos",
}
# programs that cannot do here what the line says; the index says the same of them. Who looks at such lines instead
UNTRIED: Final = {
    "docker": "deploy/test_pasted_elsewhere.py::test_compose_has_it",
    "kubectl": "deploy/test_pasted_elsewhere.py::test_kubectl_reads_it",
    "systemctl": "deploy/test_pasted_elsewhere.py::test_the_units_have_it",
    "journalctl": "deploy/test_pasted_elsewhere.py::test_the_units_have_it",
    "terraform": "deploy/test_terraform.py::test_terraform_itself_reads_it",
    "pip": "deploy/test_wheel.py::test_the_wheel",
    "uv": "deploy/test_wheel.py::test_the_wheel",
    "python3": "deploy/test_wheel.py::test_the_wheel",
    "ssh": "deploy/test_pasted_elsewhere.py::test_ssh_reads_it",
    "nginx": "deploy/test_nginx.py::test_nginx_takes_it",
    "install": "",
    "ln": "",
    "chown": "",
}


def _inner(line: str) -> str:
    """Return what a line has run in a container: "" where it is none of ours."""
    found = re.match(r"(?:docker compose exec \w+|kubectl .* exec \S+ --) (onhook .*)", line)
    return found[1] if found else ""


def test_every_line_is_known() -> None:
    """Each line of a shell block is run here, or by a test that is named, or is of a program that cannot be here."""
    run = {one.line for one in (*LOOKS, *ACTS, *WATCHES)}
    unknown = [
        f"{page.relative_to(ROOT)}: {line}"
        for page in PAGES
        if str(page.relative_to(ROOT)) not in STORIES
        for line in lines(page)
        if (_inner(line) or line) not in run
        and not any(re.match(pattern, line) for pattern in ELSEWHERE)
        and (_inner(line) or line.split(" ")[0] not in UNTRIED)
    ]
    assert unknown == []


def test_every_command_of_ours_is_run() -> None:
    """Each `onhook …` that a sentence names is run, with each option that is named with it, in some line here."""
    run = {pair for one in (*LOOKS, *ACTS, *WATCHES) for pair in called(one.line)}
    named = {pair for page in PAGES for code in codes(page) if code.startswith("onhook ") for pair in called(code)}
    assert {pair for pair in named - run if pair[0] not in FAR} == set()


def test_who_runs_it_is_there() -> None:
    """Each test that a list here names is one."""
    for place in {*ELSEWHERE.values(), *STORIES.values(), *FAR.values(), *UNTRIED.values()} - {""}:
        file, _, name = place.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert name in {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_index_says_what_is_not_run() -> None:
    """The programs that the index says cannot be run here are these, and no other."""
    table = INDEX[INDEX.index("| command | why | instead |") :]
    rows = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    assert {code.split(" ")[0] for row in rows for code in re.findall(r"`([^`]+)`", row)} == set(UNTRIED)


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Give an org with doors and a worker, and tickets as the pages speak of them."""
    async with staged(orgs=("acme",)) as it:
        for source in ("SANDBOX", "SERVICENOW"):
            known = {key: value for key, value in it.environment.items() if key.startswith("ONHOOK_SOURCES__DESK__")}
            it.environment |= {key.replace("DESK", source, 1): value for key, value in known.items()}
            it.environment[f"ONHOOK_SOURCES__{source}__SECRETS"] = _secret(source)
        yield it


def _secret(source: str) -> str:
    return f"whsec_{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


@pytest.fixture(scope="module")
async def shell(stage: Stage) -> Shell:
    """Give the shell of a person who runs that: what has happened so far is in its variables."""
    serving, _ = await asyncio.gather(stage.serve(), stage.work())
    private = await serving.url("private")
    settled, blind, failing = [await stage.conversation() for _ in range(3)]
    await stage.switch(blind, answers=[FAILS])
    ticket = await _ticket(stage)
    first = (await stage.post(stage.webhook(settled, ticket=ticket, number=NUMBER, caller_phone=CALLER))).json()
    preview = stage.webhook(settled, ticket=ticket, caller_phone=CALLER, preview=True)
    lost = stage.webhook(blind, ticket=f"incident/{'0' * 32}", caller_phone=CALLER)
    others = [(await stage.post(body)).json() for body in (preview, lost)]
    refused = await stage.post(preview, secret=b"a-stranger's-secret-of-32-bytes!", source="servicenow")
    assert refused.status_code == 401
    for receipt in (first, *others):
        await stage.settled(receipt)
    tried = await stage.conversation()
    folder = stage.folder / "home"
    folder.mkdir()
    (folder / "body.json").write_text(json.dumps(stage.webhook(failing, caller_phone=CALLER)))
    known = {
        "HOME": str(folder),
        "SHELL": "/bin/bash",
        "ONHOOK_DOORS__PUBLIC_URL": stage.door,
        "ONHOOK_DOORS__PRIVATE": private.removeprefix("http://"),
        "PRIVATE": private,
        "CID": await stage.conversation(),
        "ACTION": first["action"],
        "CONVERSATION": tried,
        "PARTICIPANT": next(one["id"] for one in await stage.people(tried) if one["purpose"] == "customer"),
    }
    return Shell(folder, stage.environment | known)


async def _ticket(stage: Stage) -> str:
    made = await stage.client.post(f"{stage.play}/sandbox/desk/tickets", json={"table": "incident", "number": NUMBER})
    return f"incident/{made.json()['sys_id']}"


async def _pasted(shell: Shell, run: Run) -> str:
    """Paste a line; return what is wrong with how it ended, or ""."""
    line = run.line.replace("http://127.0.0.1:8081", shell.environment["PRIVATE"])
    typed = re.sub(r"\$(\w+)", lambda found: shell.environment[found[1]], run.typed)
    ended = await shell.run(line, typed)
    said = (shell.folder / run.file).read_text(encoding="utf-8") if run.file else ended.out + ended.err
    is_well = ended.code == run.code and run.says in said
    return "" if is_well else f"{run.line}: {ended}"


async def test_what_only_looks(shell: Shell) -> None:
    """Each line that only looks ends as the pages let expect, and says what it is for."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(run: Run) -> str:
        async with slots:
            return await _pasted(shell, run)

    assert [wrong for wrong in await asyncio.gather(*map(one, LOOKS)) if wrong] == []


async def test_what_goes_on(stage: Stage, shell: Shell) -> None:
    """Each line that goes on until Ctrl-C says what happens meanwhile, and ends well."""
    blind = await stage.conversation()
    await stage.switch(blind, answers=[FAILS])
    watching = [asyncio.create_task(shell.watch(run.line, run.says)) for run in WATCHES]
    while not all(task.done() for task in watching):
        await stage.post(stage.webhook(blind, caller_phone=CALLER, reason=secrets.token_hex(4)))
        await asyncio.wait(watching, timeout=0.5)
    assert [(await task).code for task in watching] == [run.code for run in WATCHES]


async def test_what_acts(stage: Stage, shell: Shell) -> None:
    """Each line that changes something does so, after a yes where it asks for one."""
    for run in ACTS:
        if "$OPEN" in run.line:
            made = await stage.post(stage.webhook(await stage.conversation(), caller_phone=CALLER))
            shell.environment = {**shell.environment, "OPEN": made.json()["action"]}
        assert await _pasted(shell, run) == ""


async def test_by_hand(stage: Stage, shell: Shell) -> None:
    """What the runbook says to do when all else fails removes that person and nobody else."""
    conversation = await stage.conversation()
    (person,) = [one["id"] for one in await stage.people(conversation) if one["purpose"] == "customer"]
    org = {key.removeprefix("ONHOOK_ORGS__ACME__"): value for key, value in shell.environment.items()}
    known = {"CLIENT_ID": org["CLIENT_ID"], "CONVERSATION": conversation, "PARTICIPANT": person}
    login, look, remove = (
        re.sub(r"https://(login|api)\.\$DOMAIN", stage.play, block)
        for block in blocks(ROOT / "deploy" / "runbook.md")
        if "$DOMAIN" in block
    )
    by_hand = Shell(shell.folder, {**shell.environment, **known})
    given = await by_hand.run(login, f"{org['CLIENT_SECRET']}\n")
    by_hand.environment = {**by_hand.environment, "TOKEN": json.loads(given.out)["access_token"]}
    assert person in (await by_hand.run(look)).out
    assert "202" in (await by_hand.run(remove)).out
    assert await stage.present(conversation) == ["agent", "agent", "external"]


@pytest.mark.slow
@pytest.mark.parametrize("line", ["onhook demo --once", "onhook chaos --seconds 1"])
async def test_the_story(tmp_path: Path, line: str) -> None:
    """What is told live ends with 0, with nothing configured."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ONHOOK_", "COVERAGE_"))}
    ended = await Shell(tmp_path, own | {"ONHOOK_STATE_DIR": str(tmp_path), "ONHOOK_CONFIG": os.devnull}).run(line)
    assert ended.code == os.EX_OK, ended
