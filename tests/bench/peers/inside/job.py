"""The job, the same for every peer: look at the conversation, then remove the caller. Two calls, nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any

import httpx

from tests.bench.peers.inside.place import Place

CALL_SECONDS = 5.0  # as ours


class Remover:
    """Removes callers, with one client and one token for all its runs."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client: httpx.AsyncClient | None = None
        self._login = asyncio.Lock()

    async def remove(self, conversation: str, phone: str) -> None:
        """Do the job once, whoever did it before.

        Raises:
            httpx.HTTPError: Genesys did not answer, or not with a yes.
        """
        self._note(conversation)
        client = await self._logged_in()
        path = f"/api/v2/conversations/{conversation}"
        looked = (await client.get(path)).raise_for_status()
        caller = _caller(looked.json()["participants"], phone)
        removed = await client.patch(f"{path}/participants/{caller}", json={"state": "disconnected"})
        removed.raise_for_status()

    async def _logged_in(self) -> httpx.AsyncClient:
        async with self._login:
            if self._client is None:
                place = self._place
                client = httpx.AsyncClient(base_url=place.play, timeout=CALL_SECONDS, trust_env=False)
                said = await client.post(
                    "/oauth/token",
                    data={"grant_type": "client_credentials"},
                    auth=(place.client_id, place.client_secret),
                )
                token = said.raise_for_status().json()["access_token"]
                client.headers["authorization"] = f"Bearer {token}"
                self._client = client
        return self._client

    def _note(self, conversation: str) -> None:
        """Note that this process runs the job now: one write, so that lines of two processes do not mix."""
        line = json.dumps({"conversation": conversation, "process": os.getpid(), "at": time.time()}) + "\n"
        file = os.open(self._place.runs, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


def _caller(participants: list[dict[str, Any]], phone: str) -> str:
    """Return the participant who calls from `phone`."""
    found = (one for one in participants if one["purpose"] == "customer" and one.get("address") == f"tel:{phone}")
    return str(next(found)["id"])
