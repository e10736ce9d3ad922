"""deploy/nginx: a real nginx before the real doors. Webhooks arrive as they were signed; nothing else gets through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.sources.signing import signed
from service.web.front import MAX_BODY
from service.web.protocol import Limits
from tests.authority import Authority
from tests.findings import write_evidence
from tests.fixtures.redis import short_folder
from tests.fixtures.servers import free_port
from tests.needs import needs
from tests.story.stage import START_SECONDS, Running, Stage, eventually, staged

FILE = Path(__file__).parents[2] / "deploy" / "nginx" / "onhook.conf"
NAME = "onhook.example.com"
RATE, CALLS = 50, 20  # webhooks a second, and the calls that they are about
# what Debian's own nginx.conf says around it, as far as this machine has it: one process, in a folder of its own
AROUND = """\
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/others.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/onhook.conf;
}}
"""


def said(name: str) -> str:
    """Return what the file says once under a name."""
    (value,) = re.findall(rf"^ *{name} +([^;]+);", FILE.read_text(encoding="utf-8"), re.MULTILINE)
    return str(value)


@dataclass
class Front:
    """An nginx that runs with our file, and what lies about it."""

    folder: Path
    port: int
    trusted: ssl.SSLContext
    log: Path

    async def ask(self, method: str, path: str, *, host: str = NAME, name: str = NAME, **more: Any) -> httpx.Response:  # noqa: ANN401 - whatever httpx takes
        """Ask as a sender does who reached this address by a name: in the handshake `name`, in the request `host`."""
        headers = {**more.pop("headers", {}), "host": host}
        async with httpx.AsyncClient(verify=self.trusted, trust_env=False, timeout=30) as client:
            return await client.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                headers=headers,
                extensions={"sni_hostname": name},
                **more,
            )


def laid_out(folder: Path, doors: Sequence[str], port: int) -> list[str]:
    """Put the file into a folder with the places and ports of this machine, and return how nginx is started on it."""
    Authority.made(folder).server("door", f"DNS:{NAME}")
    (folder / "door-chain.pem").rename(folder / "fullchain.pem")
    (folder / "door.key").rename(folder / "privkey.pem")
    text = FILE.read_text(encoding="utf-8")
    text = re.sub(r"^ *listen \[::\]:443.*\n", "", text, flags=re.MULTILINE)
    for there, here in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/nginx/onhook/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
    }.items():
        assert there in text
        text = text.replace(there, here)
    (line,) = re.findall(r"^ *server 127\.0\.0\.1:8080.*;\n", text, re.MULTILINE)
    text = text.replace(line, "".join(line.replace("127.0.0.1:8080", door.removeprefix("http://")) for door in doors))
    (folder / "onhook.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder), encoding="utf-8")
    return [needs("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


@asynccontextmanager
async def fronted(stage: Stage, *doors: str) -> AsyncIterator[Front]:
    """Run nginx before some doors of a stage, or the one that was opened last."""
    folder = stage.folder / "nginx"
    folder.mkdir()
    port = free_port()
    command = laid_out(folder, doors or [stage.door], port)
    process = await asyncio.create_subprocess_exec(*command, "-g", "daemon off; master_process off;")
    try:
        trusted = ssl.create_default_context(cafile=folder / "authority.pem")

        async def is_open() -> bool | None:
            assert process.returncode is None, "nginx did not start"
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            return None

        await eventually(is_open, START_SECONDS)
        yield Front(folder, port, trusted, folder / "onhook.log")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def test_nginx_takes_it() -> None:
    """Real nginx reads the file without a fault or a warning."""
    folder = short_folder()
    try:
        command = laid_out(folder, ["127.0.0.1:8080"], free_port())
        looked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert looked.returncode == os.EX_OK, looked.stderr
        assert not re.search(r"\[(warn|error|emerg)\]", looked.stderr), looked.stderr
    finally:
        shutil.rmtree(folder)


def test_its_limits_are_ours() -> None:
    """What it takes is what the door takes, it waits longer than the door may need, and it lets go of a door first."""
    door = Limits()
    assert said("client_max_body_size") == f"{MAX_BODY // 1024}k" == said("client_body_buffer_size")
    for name in ("client_header_timeout", "client_body_timeout", "proxy_send_timeout"):
        assert said(name) == f"{door.receive_seconds:.0f}s"
    assert door.answer_seconds < float(said("proxy_read_timeout").removesuffix("s")) < 2 * door.answer_seconds
    kept = re.findall(r"keepalive_timeout (\d+)s;", FILE.read_text(encoding="utf-8"))
    assert int(kept[0]) < door.idle_seconds, "in the upstream, which stands first"


def test_nothing_else_is_open() -> None:
    """It listens for TLS alone, passes on three routes, and names no private door."""
    text = FILE.read_text(encoding="utf-8")
    assert set(re.findall(r"^ *listen (\S+) ssl", text, re.MULTILINE)) == {"443", "[::]:443"}
    assert len(re.findall(r"^ *listen ", text, re.MULTILINE)) == 4
    (passed,) = re.findall(r"location ~ (\S+) \{ proxy_pass http://onhook; \}", text)
    assert passed == r"^/(webhooks/|actions/|openapi\.json$)"
    assert text.count("proxy_pass") == 1
    assert not re.search(r":808[12]\b", text)


async def test_through_it() -> None:
    """A signed webhook is taken and its account shown; another name, path or size is not; without a door it is 503."""
    async with staged() as stage:
        serving = await stage.serve()
        async with fronted(stage) as front:
            logged = await _takes_what_is_signed(stage, front)
            await _refuses_the_rest(stage, front)
            await _is_honest_without_a_door(serving, front)
        log = front.log.read_text()  # whole, now that nginx has ended
        for request, key in logged:
            assert request in log
            assert key not in log, "what opens an account is in no log"


async def _takes_what_is_signed(stage: Stage, front: Front) -> list[tuple[str, str]]:
    """Every byte reaches the door: spaces, line ends, letters of all kinds, and as much as the door takes.

    Returns the id of each request, and the key of the account that came of it.
    """
    logged = []
    for number, padding in enumerate(("", "\r\n\t \u00e4\u4e16\U0001f4de", "x" * (MAX_BODY - 2000))):
        body = stage.webhook(await stage.conversation(), reason=padding[:10], caller_phone="+14155550123")
        raw = json.dumps(body, ensure_ascii=False, indent=number).encode() + b" \n" * (len(padding) // 2)
        asked = {
            "content-type": "application/json",
            **signed(stage.secret, f"msg_{number}", round(time.time() * 1000), raw),
        }
        answer = await front.ask("POST", "/webhooks/desk", content=raw, headers=asked)
        assert answer.status_code == 202, answer.text
        url = httpx.URL(answer.json()["links"]["self"])
        account = await front.ask("GET", url.raw_path.decode())
        assert account.json()["action"] == answer.json()["action"]
        logged.append((answer.headers["x-request-id"], url.params["key"]))
        changed = await front.ask("POST", "/webhooks/desk", content=raw + b" ", headers=asked)
        assert changed.status_code == 401
    return logged


async def _refuses_the_rest(stage: Stage, front: Front) -> None:
    for path in ("/", "/console", "/console/", "/metrics", "/livez", "/readyz", "/version", "/webhooks", "/actions"):
        assert (await front.ask("GET", path)).status_code == 404, path
    for path in ("/webhooks/../console", "/webhooks/%2e%2e/metrics"):
        assert (await front.ask("GET", path)).status_code == 404, path
    assert (await front.ask("POST", "/webhooks/desk", host="elsewhere.example.com")).status_code == 421
    with pytest.raises(httpx.ConnectError, match="UNRECOGNIZED_NAME"):
        await front.ask("GET", "/openapi.json", name="elsewhere.example.com")
    large = b"x" * (MAX_BODY + 1)
    there = await front.ask("POST", "/webhooks/desk", content=large)
    direct = await stage.client.post(f"{stage.door}/webhooks/desk", content=large)
    assert (there.status_code, there.headers["content-type"]) == (413, direct.headers["content-type"])
    assert there.json() == direct.json()
    assert not list((front.folder / "body").iterdir()), "no body touched a disk"


async def _is_honest_without_a_door(serving: Running, front: Front) -> None:
    assert await serving.end(signal.SIGTERM) == os.EX_OK
    answer = await front.ask("POST", "/webhooks/desk", content=b"{}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Send it again" in answer.json()["detail"]


@pytest.mark.slow
async def test_one_door_after_the_other() -> None:
    """Doors and workers are started again under 50 webhooks a second: 2xx or an honest 503, none lost, none twice."""
    async with staged() as stage:
        places = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        serving = [await stage.serve(ONHOOK_DOORS__PUBLIC=place) for place in places]
        working = [await stage.work() for _ in range(2)]
        calls = [await stage.conversation() for _ in range(CALLS)]
        async with fronted(stage, *places) as front:
            posting = asyncio.create_task(_posted(stage, front, calls, stop := asyncio.Event()))
            for number, place in enumerate(places):
                assert await serving[number].end(signal.SIGTERM) == os.EX_OK
                await stage.serve(ONHOOK_DOORS__PUBLIC=place)
                assert await working[number].end(signal.SIGTERM) == os.EX_OK
                await stage.work()
            stop.set()
            answers = await posting
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {202, 503}, statuses
        assert statuses[202] > 9 * statuses[503], statuses
        for answer in answers:
            if answer.status_code == 202:
                assert (await stage.account(answer.json()))["action"] == answer.json()["action"]
            else:
                assert int(answer.headers["retry-after"]) > 0
        for call in calls:

            async def removed(call: str = call) -> list[str] | None:
                present = await stage.present(call)
                return None if "customer" in present else present

            assert await eventually(removed, 120) == ["agent", "agent", "external"]
            assert len(await stage.calls("PATCH", call)) == 1
        write_evidence(
            "rollout_behind_nginx",
            command="python -m pytest -n 0 -m slow tests/deploy/test_nginx.py",
            counters={
                "webhooks": len(answers),
                "accepted": statuses[202],
                "told to come again": statuses[503],
                "people removed": CALLS,
                "processes started again": 4,
            },
            findings=[],
        )


async def _posted(stage: Stage, front: Front, calls: Sequence[str], stop: asyncio.Event) -> list[httpx.Response]:
    """Post webhooks at their rate, in turn about each of some calls, until told to stop; return what was answered."""
    posts: list[asyncio.Task[httpx.Response]] = []
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
    async with httpx.AsyncClient(verify=front.trusted, trust_env=False, timeout=40, limits=limits) as client:
        while not stop.is_set():
            raw = json.dumps(stage.webhook(calls[len(posts) % len(calls)])).encode()
            head = signed(stage.secret, f"msg_{len(posts)}", round(time.time() * 1000), raw)
            sending = client.post(
                f"https://127.0.0.1:{front.port}/webhooks/desk",
                content=raw,
                headers={**head, "content-type": "application/json", "host": NAME},
                extensions={"sni_hostname": NAME},
            )
            posts.append(asyncio.create_task(sending))
            await asyncio.sleep(1 / RATE)  # real processes: the rate at which they are sent
        return list(await asyncio.gather(*posts))
