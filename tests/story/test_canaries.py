"""Canaries: secrets, numbers and names go through every door, outcome and command, and then are looked for."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import redis as blocking

from tests.story.stage import Running, Stage, eventually, staged

PHONE, DIALLED, FRIEND, NOBODY = "+14155557731", "+18005557732", "+493055557733", "+14155557739"
NAMES = ("Canary Customer", "Canary Agent", "Canary Friend", "canary.agent@agents.example")
ATTRIBUTE = "gold-canary-5511"
REQUESTER, REASON = "canary.requester", "canary reason"
CAST = [
    {
        "purpose": "customer",
        "name": NAMES[0],
        "address": f"tel:{PHONE}",
        "ani": f"tel:{PHONE}",
        "dnis": f"tel:{DIALLED}",
        "attributes": {"loyalty": ATTRIBUTE},
    },
    {"purpose": "agent", "name": NAMES[1], "address": f"sip:{NAMES[3]}", "ani": f"tel:{PHONE}"},
    {"purpose": "external", "name": NAMES[2], "address": f"tel:{FRIEND}"},
]


@dataclass
class Run:
    """One run past every door, and all that was said on the way.

    Attributes:
        places: everything that was said, by where it was: log, answers, metrics, notes, commands, Redis.
        outcomes: how many actions ended in which way.
        keys: that open the accounts of the actions.
    """

    stage: Stage
    places: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)

    def hear(self, place: str, text: str) -> None:
        """Keep what was said."""
        self.places[place] = self.places.get(place, "") + text + "\n"

    async def conversation(self) -> tuple[str, dict[str, str]]:
        """Begin a conversation of canaries; return its id, and the participants' ids by purpose."""
        made = await self.stage.client.post(f"{self.stage.play}/sandbox/conversations", json={"participants": CAST})
        told = made.json()
        return told["conversation_id"], {one["purpose"]: one["id"] for one in told["participants"]}

    async def click(self, conversation: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a body
        """Click with canaries in every free field, and return the account when all is told."""
        ticket = await self.stage.ticket()
        more = {"requested_by": REQUESTER, "reason": f"{REASON}, call {PHONE} back", **data}
        answer = self.answered(await self.stage.post(self.stage.webhook(conversation, ticket=ticket, **more)))
        assert answer.status_code == 202, answer.text
        link = answer.json()["links"]["self"]
        self.keys.add(link.partition("key=")[2])
        self.hear("account", json.dumps(await self.stage.account(answer.json())))  # while the number is still needed
        account = await self.stage.settled(answer.json(), 40)
        self.hear("account", json.dumps(account))
        self.outcomes[account["outcome"]["kind"]] += 1
        for note in await self.stage.notes(ticket):
            self.hear("notes", note)
        return account

    def answered(self, answer: httpx.Response) -> httpx.Response:
        """Keep an answer that is not a receipt: a receipt's link is for whoever asked."""
        self.statuses[answer.status_code] += 1
        kept = answer.text if answer.status_code >= 300 else re.sub(r"key=[0-9a-f]+", "", answer.text)
        self.hear("answers", f"{kept} {answer.headers if answer.status_code >= 300 else ''}")
        return answer

    async def command(self, *words: str, place: str = "commands") -> None:
        """Run a command to its end, and keep what it says."""
        running = await self.stage.start(*words)
        assert running.process.stdout
        said = (await running.process.stdout.read()).decode()
        await running.process.wait()
        self.hear(place, said)


async def outcomes(run: Run) -> None:
    """Let actions end in every way there is at once."""
    stage = run.stage
    conversations = [await run.conversation() for _ in range(6)]
    forbidden, busy = conversations[4][0], conversations[5][0]
    said = {"status": 403, "code": "missing.permissions", "message": f"no {PHONE} for {FRIEND}", "times": None}
    await stage.switch(forbidden, answers=[{"on": "disconnect", **said}])
    await stage.switch(busy, answers=[{"on": "look", "status": 403, "message": f"{DIALLED}", "times": None}])
    (first, people), (second, _), (third, _), (fourth, _) = conversations[:4]
    await asyncio.gather(
        run.click(first, caller_phone=PHONE),
        run.click(second, attribute=f"loyalty={ATTRIBUTE}"),
        run.click(third, purpose="agent"),
        run.click(fourth, caller_phone=NOBODY),
        run.click(fourth, caller_phone=PHONE, preview=True),
        run.click(forbidden, caller_phone=PHONE),
        run.click(busy, caller_phone=PHONE, external_contact_id=forbidden),
    )
    await run.click(first, participant_id=people["customer"])


async def refusals(run: Run) -> None:
    """Let deliveries be refused in every way, with canaries in what they send."""
    stage = run.stage
    conversation, _ = await run.conversation()
    asked = stage.webhook(conversation, caller_phone=PHONE, reason=REASON, requested_by=REQUESTER)
    for body in (
        b"{" + PHONE.encode(), json.dumps({**asked, "timestamp": PHONE}).encode(),
        json.dumps({"type": PHONE}).encode(), stage.webhook(conversation, participant_id=PHONE),
        stage.webhook(PHONE), stage.webhook(conversation, medium=PHONE), stage.webhook(conversation, purpose=PHONE),
        stage.webhook(conversation, caller_phone=PHONE, sys_id=PHONE), stage.webhook(conversation,
        caller_phone=PHONE + "\n"), stage.webhook(conversation, attribute=ATTRIBUTE * 30),
        b'{"%s":1,"%s":2}' % (PHONE.encode(), PHONE.encode()), b" " * 70_000,
    ):  # fmt: skip
        run.answered(await stage.post(body))
    run.answered(await stage.post(asked, secret=b"y" * 32))
    run.answered(await stage.post(asked, at=1_700_000_000))
    run.answered(await stage.post(asked, source=PHONE))
    run.answered(await stage.post(asked, headers={"content-type": f"text/{ATTRIBUTE}"}))
    run.answered(await stage.post(asked, headers={"webhook-id": NAMES[0], "x-canary": PHONE, "user-agent": NAMES[0]}))
    for path in (f"/actions/{PHONE}?key={PHONE}", f"/{NAMES[0]}?phone={PHONE}", f"/webhooks/{NAMES[0]}"):
        run.answered(await stage.client.get(stage.door + path))


async def commands(run: Run) -> None:
    """Run the commands that say what they know."""
    conversation, _ = await run.conversation()
    await asyncio.gather(
        run.command("check", "--json"),
        run.command("preview", "--source", "desk", "--conversation", conversation, "--phone", PHONE),
    )


async def doors(run: Run, *running: Running) -> None:
    """Ask the private doors for everything they have."""
    for one in running:
        door = next(found[1] for line in one.said if (found := re.match(r"The private door is at (\S+)", line)))
        for path in ("metrics", "readyz", "livez", "startupz", "version"):
            answer = await run.stage.client.get(f"{door}/{path}")
            run.hear("metrics" if path == "metrics" else "probes", answer.text)


async def console(run: Run, serving: Running, token: str) -> None:
    """Read every page of the console, as an operator who looks for what went wrong."""
    door = next(found[1] for line in serving.said if (found := re.match(r"The private door is at (\S+)", line)))
    async with httpx.AsyncClient(base_url=door, headers={"origin": door}, trust_env=False, timeout=30) as client:
        assert (await client.post("/console/login", data={"token": token})).status_code == 303
        paths = ["", "/charts", "/actions", "/refusals", "/dead", "/audit", "/audit.jsonl", "/audit.csv"]
        listed = (await client.get("/console/actions")).text
        for path in [*paths, *dict.fromkeys(re.findall(r'href="/console(/actions/[a-z0-9.-]+)"', listed))]:
            answer = await client.get(f"/console{path}")
            assert answer.status_code == 200, path
            run.hear("console", answer.text)


def kept(stage: Stage) -> str:
    """Return everything that stands in Redis."""
    with blocking.Redis.from_url(stage.redis.url, protocol=2, decode_responses=True) as client:
        read: Mapping[str, Any] = {
            "hash": client.hgetall,
            "list": lambda key: client.lrange(key, 0, -1),
            "zset": lambda key: client.zrange(key, 0, -1),
            "set": client.smembers,
            "string": client.get,
        }
        return "\n".join(f"{key} {read[client.type(key)](key)}" for key in client.scan_iter(count=1000))


@pytest.fixture(scope="module")
async def run() -> AsyncIterator[Run]:
    """Give one whole run, when everything in it has ended."""
    async with staged() as stage:
        run = Run(stage)
        token = stage.admit("operator")
        serving, working = await asyncio.gather(stage.serve(), stage.work())
        await serving.url("private")
        await asyncio.gather(outcomes(run), refusals(run), commands(run))
        await asyncio.gather(doors(run, serving, working), run.command("refusals", "--json"))

        async def ended() -> str | None:
            text = kept(stage)
            return None if "due:removals" in text or "due:reports" in text else text

        run.hear("redis", await eventually(ended))
        looked = (("actions", "export"), ("audit", "--json"), ("actions", "export", "--format", "csv"))
        await asyncio.gather(*(run.command(*words, place="operator") for words in looked))
        await console(run, serving, token)
        run.hear("log", "".join(file.read_text() for file in stage.folder.glob("*.log")))
        run.hear("log", "".join(serving.said + working.said))
        yield run


def found(run: Run, word: str) -> set[str]:
    """Return where a word was seen; of a number its bare digits count too."""
    bare = word.removeprefix("+").lower()
    return {place for place, text in run.places.items() if bare in text.lower()}


async def test_the_run_went_everywhere(run: Run) -> None:
    """The canaries went past every kind of answer and into every place, so that their absence says something."""
    assert set(run.outcomes) >= {"disconnected", "refused", "not_found", "previewed", "failed", "already_gone"}
    assert set(run.statuses) >= {202, 400, 401, 404, 405, 413, 415, 422}
    said = {"account", "answers", "commands", "console", "log", "metrics", "notes", "operator", "probes", "redis"}
    assert set(run.places) == said
    assert all(len(text) > 200 for text in run.places.values()), {place: len(it) for place, it in run.places.items()}
    assert "delivery.refused" in run.places["log"]
    assert "attempt.ended" in run.places["log"]
    assert {'"state": "pending"', '"state": "settled"'} <= set(re.findall('"state": "[a-z]+"', run.places["account"]))


async def test_secrets_are_nowhere(run: Run) -> None:
    """No secret of a source, an org or a desk, in no spelling, is said by anything."""
    said = run.stage.environment
    source, client = said["ONHOOK_SOURCES__DESK__SECRETS"], said["ONHOOK_ORGS__PLAY__CLIENT_SECRET"]
    user, password = said["ONHOOK_SOURCES__DESK__USERNAME"], said["ONHOOK_SOURCES__DESK__PASSWORD"]
    raw = base64.b64decode(source.removeprefix("whsec_"))
    basics = [f"{said['ONHOOK_ORGS__PLAY__CLIENT_ID']}:{client}", f"{user}:{password}"]
    secrets = [source.removeprefix("whsec_"), raw.hex(), client, password]
    secrets += [base64.b64encode(pair.encode()).decode() for pair in basics]
    assert {secret[:4]: found(run, secret) for secret in secrets} == {secret[:4]: set() for secret in secrets}
    assert [
        place for place, text in run.places.items() if re.search(r"(?i)bearer\s+[^$\s]|authorization.{1,4}basic", text)
    ] == []


async def test_keys_of_accounts(run: Run) -> None:
    """What opens an account is in the receipt and in Redis, and in no log, note, metric or account."""
    assert len(run.keys) >= 8
    assert set().union(*(found(run, key) for key in run.keys)) == {"redis"}


@pytest.mark.parametrize("number", [PHONE, DIALLED, FRIEND, NOBODY])
async def test_numbers_are_nowhere(run: Run, number: str) -> None:
    """After the end no number is kept or said whole: not who was removed, nor who was there, nor one in free text."""
    assert found(run, number) == set()


@pytest.mark.parametrize("name", NAMES)
async def test_names_are_nowhere(run: Run, name: str) -> None:
    """Who is on a call is not known by name: nothing of it leaves Genesys."""
    assert found(run, name) == set()


async def test_an_attribute_is_cut(run: Run) -> None:
    """Of an attribute its last four characters are kept, and said."""
    assert found(run, ATTRIBUTE) == set()
    assert {"account", "redis"} <= found(run, ATTRIBUTE[-4:])


async def test_who_asked_is_kept_for_the_audit(run: Run) -> None:
    """Who clicked and why stands in the record and is told to operators: in no log, metric, answer or account."""
    assert found(run, REQUESTER) <= {"redis", "notes", "operator", "console"}
    assert {"operator", "console"} <= found(run, REQUESTER)
    assert found(run, REASON) <= {"redis", "notes", "console"}
    assert "redis" in found(run, REQUESTER)
