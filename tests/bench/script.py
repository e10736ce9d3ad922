"""What somebody would write instead of a service: one GET and one PATCH, by the same client, warmed; for comparison.

    python -m tests.bench.script OPTIONS        the org's options as JSON

It says `ready`, then reads one line a removal, the id of a conversation, and answers with the moment at which it began
and how it ended. There is no signature, no store, no budget, and nobody asks whether it may.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop

from service.core import model as m
from service.genesys import GenesysCloud
from service.genesys.options import GenesysOptions
from service.outbound import Outgoing
from service.wiring.machine import SystemClock

SEND_SECONDS = 2.0  # as the service allows itself


async def removed(cloud: GenesysCloud, clock: SystemClock, conversation: str, phone: str) -> tuple[float, str]:
    """Remove who calls from `phone`; return when it began, in seconds since the epoch, and what Genesys said."""
    began = time.time()
    sight = await cloud.look(conversation)
    assert isinstance(sight, m.Conversation), sight
    (person,) = (one for one in sight.participants if one.phone == phone and one.purpose == "customer")
    legs = tuple(leg.id for leg in person.legs)
    target = m.Target(person.id, legs, person.purpose, m.Medium.VOICE, person.user_id)
    answer = await cloud.disconnect(conversation, target, clock.monotonic() + SEND_SECONDS)
    return began, answer.kind.value


async def main(options: str) -> None:
    """Log in, say so, and remove whoever is named until there is no more input."""
    clock = SystemClock()
    cloud = GenesysCloud(GenesysOptions.model_validate_json(options), clock, Outgoing())
    await cloud.log_in()
    said = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), sys.stdin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := (await said.readline()).decode().split():
        conversation, phone = line
        sys.stdout.write(json.dumps(await removed(cloud, clock, conversation, phone)) + "\n")
        sys.stdout.flush()
    await cloud.aclose()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[-1]))
