"""The worker that stumbles is a real one up to its mark, and says when it is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import runpy
import signal
import sys
from pathlib import Path

import pytest
import structlog

from service.core import model as m
from service.core.errors import Misconfigured, Reply
from service.demo.stumbling import HELD, LET_GO, STUMBLED, Stumbling, stumble
from service.store.embedded import EmbeddedRedis
from tests.demo.conftest import Watched

SEEN = m.NotFound(Reply(status=404))


class Real:
    """A Genesys Cloud in which nobody may be touched."""

    async def look(self, conversation_id: str) -> m.Sight:
        """Return what is there."""
        return SEEN

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> m.Answer:
        """Never be asked."""
        raise AssertionError


async def test_stumbling() -> None:
    """It looks as the real one does; a removal is announced and never handed over."""
    said: list[str] = []
    stumbling = Stumbling(Real(), said.append)
    assert await stumbling.look("one") is SEEN
    removal = asyncio.create_task(stumbling.disconnect("one", m.Target("p", ()), 0.0))
    await asyncio.sleep(0)
    assert said == [STUMBLED]
    removal.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removal


async def test_real_worker(redis_server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It holds still until it is let go, and then is a worker like any other."""
    variables = {
        "CONFIG": os.devnull,
        "STATE_DIR": os.fspath(tmp_path),
        "REDIS__URL": redis_server.url,
        "DOORS__WORKER": "127.0.0.1:0",
        "ORGS__ACME__API_URL": "http://127.0.0.1:1",
        "ORGS__ACME__LOGIN_URL": "http://127.0.0.1:1",
        "ORGS__ACME__CLIENT_ID": "id",
        "ORGS__ACME__CLIENT_SECRET": "secret",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"ONHOOK_{name}", value)
    said: asyncio.Queue[str] = asyncio.Queue()
    worker = asyncio.create_task(stumble(said.put_nowait))
    assert await said.get() == f"{HELD}{os.getpid()}"
    os.kill(os.getpid(), LET_GO)
    async with asyncio.timeout(30):
        assert (await said.get()).startswith("The private door is at")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await worker == 0
    # it spoke to the standard error of this test; the next one has another
    structlog.reset_defaults()
    logging.basicConfig(handlers=[], force=True)


def test_as_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by its name it does the same, and without settings it says so."""
    monkeypatch.setenv("ONHOOK_CONFIG", os.devnull)
    monkeypatch.delitem(sys.modules, "service.demo.stumbling")
    heard = Watched(HELD, lambda: os.kill(os.getpid(), LET_GO))
    with contextlib.redirect_stdout(heard), pytest.raises(Misconfigured, match="orgs: there is none"):
        runpy.run_module("service.demo.stumbling", run_name="__main__")
    assert heard.getvalue() == f"{HELD}{os.getpid()}\n"
