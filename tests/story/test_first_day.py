"""The first day with an org, as its owner has it: init, check, shadow, one removal tried by consent, one queue live."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from service.sources.signing import secret_in
from tests.story.stage import CALLER, ROOT, Stage, staged

SERVICE_DESK = "b4c3a1de-55a0-4c7e-9f5e-0d0a5a1c0001"
END_SECONDS = 90.0  # a cold start of Python while other tests run, and then some calls


async def _said(stage: Stage, *words: str, typed: str = "", **variables: str) -> tuple[int, str, str]:
    """Run a command as a person does in the folder of the settings; return its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", *words),
        env=stage.environment | {"PYTHONPATH": str(ROOT)} | variables,
        cwd=stage.folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(typed.encode()), END_SECONDS)
    return process.returncode or 0, out.decode(), err.decode()


async def _init(stage: Stage) -> Path:
    """Write the settings from options, files and variables alone, and forget every other setting."""
    keys = (await stage.client.get(f"{stage.play}/sandbox/credentials")).json()
    stage.environment = {n: v for n, v in stage.environment.items() if "ORGS" not in n and "SOURCES" not in n}
    secret = stage.folder / "client-secret"
    secret.write_text(keys["client_secret"])
    options = {
        "org": "acme",
        "api-url": stage.play,
        "login-url": stage.play,
        "client-id": keys["client_id"],
        "client-secret-file": str(secret),
        "source": "desk",
        "public-url": "https://onhook.example",
        "instance-url": stage.play,
        "username": keys["desk_user"],
        "folder": str(stage.folder / "first"),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    code, out, err = await _said(stage, "init", "--non-interactive", *words, SERVICENOW_PASSWORD=keys["desk_password"])
    assert (code, err) == (0, ""), err
    assert keys["client_secret"] not in out
    assert keys["desk_password"] not in out
    config = stage.folder / "first" / "onhook.toml"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    stage.environment["ONHOOK_CONFIG"] = str(config)
    script = (stage.folder / "first" / "onhook-desk.js").read_text()
    stage.secret = secret_in("whsec_" + script.partition('var SECRET = "')[2].partition('"')[0])
    return config


async def _clicked(stage: Stage, scenario: str = "conference") -> tuple[str, Mapping[str, object], list[str]]:
    """Click in a new conversation; return it, the outcome and what the ticket was told."""
    conversation, ticket = await stage.conversation(scenario), await stage.ticket()
    receipt = (await stage.post(stage.webhook(conversation, ticket=ticket, caller_phone=CALLER), wait=20)).json()
    account = await stage.settled(receipt, END_SECONDS)
    return conversation, account["outcome"], await stage.notes(ticket)


async def test_the_first_day() -> None:
    """From nothing to live: each step says what it must, and nobody leaves a call before somebody consented to it."""
    async with staged() as stage:
        config = await _init(stage)
        (code, out, _), serving, working = await asyncio.gather(
            _said(stage, "check", "--json"), stage.serve(), stage.work()
        )
        assert code == 0, out
        found = {(one["about"], one["topic"]): one["verdict"] for one in json.loads(out)["checks"]}
        steps = ("names", "connection", "login", "token", "read", "rate", "clock")
        assert {found["org acme", step] for step in steps} == {"fine"}
        assert (found["redis", "durability"], found["org acme", "removal"]) == ("fine", "unknown")

        watched, outcome, notes = await _clicked(stage)
        assert (outcome["kind"], outcome["reason"], len(notes)) == ("previewed", "shadow", 1)
        assert "shadow mode" in notes[0]
        assert (await stage.calls("PATCH"), len(await stage.present(watched))) == ([], 4)

        tried = await stage.conversation()
        caller = next(one["id"] for one in await stage.people(tried) if one["purpose"] == "customer")
        wish = ("check", "--test-call", tried, "--remove", caller)
        refused, consented = await asyncio.gather(
            _said(stage, *wish, typed="yes\n"),
            _said(stage, *wish, "--evidence", "proof.json", typed=f"{caller}\n"),
        )
        assert (refused[0], consented[0]) == (1, 0), consented
        assert 'route = "generic"\nmode = "live"' in consented[1]
        proof = json.loads((stage.folder / "proof.json").read_text())
        assert (proof["is_good"], proof["remaining"]) == (True, {"agent": 2, "external": 1})
        assert [call["path"].rpartition("/")[2] for call in await stage.calls("PATCH")] == [caller] * 2

        # what it said is written, as a person would, and what the page says of one queue
        text = config.read_text().replace('mode = "shadow"', f'route = "generic"\n{_one_queue()}')
        config.write_text(text)
        assert list(await asyncio.gather(serving.end(), working.end())) == [0, 0]
        await asyncio.gather(stage.serve(), stage.work())
        live, outcome, _ = await _clicked(stage)
        assert outcome["kind"] == "disconnected"
        assert await stage.present(live) == ["agent", "agent", "external"]
        assert await stage.present(watched) == ["agent", "agent", "customer", "external"]
        _, outcome, notes = await _clicked(stage, "sales")
        assert (outcome["kind"], outcome["reason"], outcome["allowed_by"]) == ("refused", "queue", "orgs.acme.queues")
        assert "Nobody was removed" in notes[0]


def _one_queue() -> str:
    """Return what deploy/go-live.md has an operator write, for the queue of the sandbox's conferences."""
    found = re.findall(r"```toml\n(.*?)```", (ROOT / "deploy" / "go-live.md").read_text(encoding="utf-8"), re.DOTALL)
    (text,) = found
    assert text.startswith('mode = "live"\nqueues = ["…"]')
    return str(text.replace("…", SERVICE_DESK))
