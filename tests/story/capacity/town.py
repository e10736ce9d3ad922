"""Many orgs in one house: their settings in one file, each with a source of its own; and people who click in them."""

from __future__ import annotations

import asyncio
import base64
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from service.sources.signing import secret_in
from tests.bench.clicking import Clicker, Gone
from tests.story.stage import Stage, staged

SEED = 9
CLICKS_A_SECOND = 1.5  # of all orgs together


def names_of(orgs: int) -> list[str]:
    """Return what so many orgs are called."""
    return [f"org-{number:04d}" for number in range(orgs)]


@asynccontextmanager
async def settled_by(orgs: int) -> AsyncIterator[Stage]:
    """Give a stage on which so many orgs are to be served, each with one source, `ORG-desk`."""
    async with staged() as stage:
        credentials = (await stage.client.get(f"{stage.play}/sandbox/credentials")).json()
        desks, lines = {}, []
        for org in names_of(orgs):
            secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
            desks[f"{org}-desk"] = secret_in(secret)
            lines.append(_org(org, stage.play, credentials, secret))
        (stage.folder / "onhook.toml").write_text("".join(lines), encoding="utf-8")
        alone = ("ONHOOK_ORGS__", "ONHOOK_SOURCES__")
        environment = {name: value for name, value in stage.environment.items() if not name.startswith(alone)}
        yield replace(stage, environment=environment, desks=desks)


def _org(org: str, play: str, credentials: dict[str, str], secret: str) -> str:
    return f"""
[orgs.{org}]
api_url = "{play}"
login_url = "{play}"
client_id = "{credentials["client_id"]}"
client_secret = "{credentials["client_secret"]}"
[sources.{org}-desk]
kind = "servicenow"
org = "{org}"
secrets = ["{secret}"]
instance_url = "{play}"
username = "{credentials["desk_user"]}"
password = "{credentials["desk_password"]}"
rate = 0
runaway = 0
"""


async def clicked(stage: Stage, clicks: int) -> list[Gone]:
    """Let people click evenly, each in an org by chance; return what each click came to."""
    dice = random.Random(SEED)  # noqa: S311 - who clicks, and no secret
    seats, waiting = stage.seats, []
    for _ in range(clicks):
        clicker = Clicker(dice.choice(seats))
        waiting.append(asyncio.create_task(_one(clicker)))
        await asyncio.sleep(1 / CLICKS_A_SECOND)  # real processes: people click in their own time
    return list(await asyncio.gather(*waiting))


async def _one(clicker: Clicker) -> Gone:
    try:
        return await clicker.gone(await clicker.seat.conversation())
    finally:
        await clicker.hang_up()
