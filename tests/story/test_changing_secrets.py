"""Each secret is changed as deploy/secrets.md says, by its own commands, under clicks: none is lost or done twice."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis as blocking

from service.sources.signing import fingerprint, secret_in
from tests.authority import Authority
from tests.deploy.pasted import ROOT, Page, Shell
from tests.deploy.test_redis import PASSWORDS, Guarded
from tests.fixtures.servers import program_of
from tests.story.clicks import Clicks
from tests.story.gate import Gate, basic
from tests.story.stage import CALLER, Running, Stage, staged

SECRETS = ROOT / "deploy" / "secrets.md"
NUMBER = "INC0010112"
NEW_CLIENT = ("11111111-2222-4333-8444-555555555555", "a-new-play-secret")
NEW_PASSWORD = "a-new-play-password"  # of nobody
IN_COMPOSE = "docker compose"  # in the block that only an engine can run


@dataclass
class Office:
    """Where the secrets lie, whoever knows them, and the page in the operator's shell."""

    stage: Stage
    server: Guarded
    gate: Gate
    page: Page
    shell: Shell
    doors: list[str]
    processes: tuple[Running, ...] = ()
    private: str = ""

    def file(self, name: str) -> Path:
        """Return where a secret lies."""
        return self.stage.folder / name

    async def paste(self, *blocks: str, typed: str = "", code: int = 0) -> str:
        """Paste the blocks with these words, one after the other; return what they said."""
        ended = await self.shell.run("\n".join(("set -eu", *map(self.page.block, blocks))), typed)
        assert ended.code == code, ended
        return ended.out + ended.err

    async def start_again(self) -> None:
        """Start workers and doors again, one after the other: the new one first, as a rollout does."""
        working, serving = await asyncio.gather(self.stage.work(), self.stage.serve())
        self.doors.append(self.stage.door)
        self.private = await serving.url("private")
        assert set(await asyncio.gather(*(one.end() for one in self.processes))) <= {0}
        del self.doors[:-1]
        self.processes = (working, serving)

    async def is_let_in(self, token: str) -> bool:
        """Whether the console takes a token."""
        origin = {"origin": self.private, "sec-fetch-site": "same-origin"}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.post(f"{self.private}/console/login", data={"token": token}, headers=origin)
        return answer.status_code == httpx.codes.SEE_OTHER


def _settings(stage: Stage, gate: str) -> None:
    """Lay each secret into a file, as the pages for each platform do, and lead all calls through the gate."""
    for name in [name for name in stage.environment if name.startswith("ONHOOK_SOURCES__DESK__")]:
        stage.environment[name.replace("DESK", "SERVICENOW")] = stage.environment.pop(name)
    stage.source = "servicenow"
    stage.environment |= {
        "ONHOOK_ORGS__ACME__API_URL": gate,
        "ONHOOK_ORGS__ACME__LOGIN_URL": gate,
        "ONHOOK_SOURCES__SERVICENOW__INSTANCE_URL": gate,
        "ONHOOK_OUTBOUND__CA_FILE": str(stage.folder / "authorities.pem"),
    }
    for name, file in {
        "ONHOOK_REDIS__URL": "redis_url",
        "ONHOOK_ORGS__ACME__CLIENT_SECRET": "acme_client_secret",
        "ONHOOK_SOURCES__SERVICENOW__SECRETS": "servicenow_secrets",
        "ONHOOK_SOURCES__SERVICENOW__PASSWORD": "servicenow_password",
    }.items():
        (stage.folder / file).write_text(f"{stage.environment.pop(name)}\n")
        stage.environment[f"{name}_FILE"] = str(stage.folder / file)


@asynccontextmanager
async def _office(tmp_path: Path) -> AsyncIterator[Office]:
    made: list[Guarded] = []

    def make(folder: Path) -> Guarded:
        made.append(Guarded(folder, Path(program_of("redis-7"))))
        return made[0]

    authorities = []
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        authorities.append(Authority.made(tmp_path / name, name))
    async with staged(make, orgs=("acme",)) as stage:
        keys = {name.rpartition("__")[2]: value for name, value in stage.environment.items()}
        gate = Gate(stage.play, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        gate.show(authorities[0], tmp_path / "old")
        client, desk = (keys["CLIENT_ID"], keys["CLIENT_SECRET"]), (keys["USERNAME"], keys["PASSWORD"])
        gate.known = {basic(*pair): basic(*pair) for pair in (client, desk)}
        (stage.folder / "authorities.pem").write_bytes(authorities[0].pem.read_bytes())
        async with gate.open() as url:
            _settings(stage, url)
            (stage.folder / "new-authority.pem").write_bytes(authorities[1].pem.read_bytes())
            filled = {
                "SECRETS": str(stage.folder / "servicenow_secrets"),
                "SECRET": str(stage.folder / "acme_client_secret"),
                "PASSWORD": str(stage.folder / "servicenow_password"),
                "ADDRESS": str(stage.folder / "redis_url"),
                "AUTHORITIES": str(stage.folder / "authorities.pem"),
                "redis": f'redis() {{ redis-cli -h 127.0.0.1 -p {made[0].port} --user operator "$@"; }}',
            }
            # what was pasted before stands in the shell of a person, who has one for all of it
            said = {"NEW_CLIENT_SECRET": NEW_CLIENT[1], "NEW_PASSWORD": NEW_PASSWORD, **filled}
            shell = Shell(stage.folder, stage.environment | said)
            yield Office(stage, made[0], gate, Page(SECRETS, filled), shell, [])


def _lines_for(name: str, said: str) -> tuple[str, str]:
    """Return the token that was printed, and the lines for onhook.toml."""
    (token,) = re.findall(r"onhook_\S+", said)
    (lines,) = re.findall(rf'^ *\[console\.tokens\.{name}\]\n(?: *\w+ = ".*"\n){{2}}', said, re.MULTILINE)
    return token, lines


async def _all_new(office: Office, clicks: Clicks, old_client: bytes) -> bytes:
    """Have each new secret known beside the old one, and return that of the webhook.

    The desk alone knows one at a time: a note waits for it.
    """
    stage, known = office.stage, office.gate.known
    said = await office.paste('>> "$SECRETS"')
    made = secret_in(office.file("servicenow_secrets").read_text().split()[-1])
    assert fingerprint(made) in said
    known[basic(*NEW_CLIENT)] = known[old_client]
    stage.environment["ONHOOK_ORGS__ACME__CLIENT_ID"] = NEW_CLIENT[0]
    office.shell.environment = {**office.shell.environment, "ONHOOK_ORGS__ACME__CLIENT_ID": NEW_CLIENT[0]}
    await office.paste("$NEW_CLIENT_SECRET")
    await office.paste('">$NEW"', typed=f"{PASSWORDS['operator']}\n")
    await office.paste('>> "$AUTHORITIES"')
    desk = next(shown for shown in known if shown not in {old_client, basic(*NEW_CLIENT)})
    known[basic(stage.environment["ONHOOK_SOURCES__SERVICENOW__USERNAME"], NEW_PASSWORD)] = known.pop(desk)
    turned_away = office.gate.refused
    async with asyncio.timeout(60):
        while office.gate.refused == turned_away:
            await clicks.some(1)
    await office.paste("$NEW_PASSWORD")
    return made


async def _no_old(office: Office, old_client: bytes, old_address: str) -> None:
    """Have each old secret forgotten."""
    assert "fine" in await office.paste("onhook check")
    del office.gate.known[old_client]
    await office.paste("sed -i 1d")
    await office.paste('cp new-authority.pem "$AUTHORITIES"')
    old = re.findall(r"://onhook:(.*)@", old_address)[0]
    asked = office.page.filled["redis"]
    typed = f"export REDISCLI_AUTH={PASSWORDS['operator']} OLD={old}\n{asked}\n{office.page.block('ACL SAVE')}"
    ended = await office.shell.run(f"set -eu\n{typed}")
    assert ended.code == 0, ended
    assert "fine" in ended.out


async def test_each_secret_is_changed(tmp_path: Path) -> None:
    """Two starts, clicks all the while: the new ones are right, the old ones wrong, and nobody noticed."""
    async with _office(tmp_path) as office:
        stage, gate = office.stage, office.gate
        old_client, old_secret = next(iter(gate.known)), stage.secret
        old_address = office.file("redis_url").read_text()
        old_token, lines = _lines_for("beth", await office.paste("onhook admit beth"))
        office.file("onhook.toml").write_text(lines)
        await office.start_again()
        assert await office.is_let_in(old_token)
        clicks = Clicks(stage, office.doors, old_secret)
        await clicks.start()
        await clicks.some()
        made = await _all_new(office, clicks, old_client)
        new_token, lines = _lines_for("beth", await office.paste("onhook admit beth"))
        office.file("onhook.toml").write_text(lines)
        await office.start_again()
        clicks.secret = made
        await clicks.some()
        await _who_signed(office, made)
        gate.show(Authority(tmp_path / "new", "new"), tmp_path / "new")
        await _no_old(office, old_client, old_address)
        await office.start_again()
        await clicks.some()
        late = await stage.post(stage.webhook(await stage.conversation()), secret=old_secret)
        assert late.status_code == httpx.codes.UNAUTHORIZED
        await clicks.stop()
        await clicks.told()
        assert set(clicks.answers) <= {202, 503, ""}, clicks.answers
        assert "unauthorized" in await office.paste("onhook refusals")
        assert (await office.is_let_in(old_token), await office.is_let_in(new_token)) == (False, True)
        with pytest.raises(blocking.AuthenticationError), blocking.Redis.from_url(old_address.strip()) as client:
            client.ping()
        headings = re.findall(r"^## (.*)$", SECRETS.read_text(encoding="utf-8"), re.MULTILINE)
        left = [block for heading in headings for block in office.page.left(heading)]
        assert all(IN_COMPOSE in block for block in left), left


async def _who_signed(office: Office, secret: bytes) -> None:
    """Hold what the page shows of who signed a click to the new secret."""
    stage = office.stage
    body = stage.webhook(await stage.conversation(), caller_phone=CALLER, number=NUMBER, ticket=await stage.ticket())
    await stage.settled((await stage.post(body, secret=secret)).json())
    assert fingerprint(secret) in await office.paste("| grep secret")
