"""Every entrance of an older version's processes, before what a newer version stored: what is said, and that is all."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import httpx

from tests.story.fire import Click
from tests.story.upgrade.changing import NEWER, Change, Version, action_of, patient

# what is asked of a command; its exit code, and a word of its standard output, or "" for nothing there
Command: TypeAlias = tuple[tuple[str, ...], int, str]
COMMANDS: tuple[Command, ...] = (
    (("actions", "show", "ACTION"), 1, ""),
    (("audit", "--org", "ORG"), 0, NEWER),
    (("actions", "drop", "ACTION", "--why", "x", "--yes"), 1, ""),
    (("actions", "replay", "ACTION", "--why", "x", "--yes"), 1, ""),
    (("actions", "list", "--search", "ACTION"), 0, ""),
    (("dead", "retell", "REPORT", "--why", "x"), 1, "Due again: 0 dead letters."),
    (("forget", "--ticket", "TICKET", "--json"), 1, "version of this service wrote it"),
)
# the path of a page; its status, and what stands there
PAGES = (
    ("/", 200, "Actions"),
    ("/actions", 200, "Actions"),
    ("/actions?q=ACTION", 503, NEWER),
    ("/actions/ACTION", 503, NEWER),
    ("/actions/ACTION/replay", 503, NEWER),
    ("/dead", 200, "Dead letters"),
    ("/audit?org=ORG", 200, NEWER),
)
ACTS = ("/actions/ACTION/drop", "/actions/ACTION/rehearse", "/actions/ACTION/replay", "/dead/retell")


async def faults_of(
    change: Change, clicks: Sequence[Click], dead: str, token: str, commands: Sequence[Command]
) -> list[str]:
    """Try every entrance of the older version; return what it should not have said.

    Args:
        change: the older version runs alone.
        clicks: whose actions the newer version stored, which are open or have ended.
        dead: a report that the newer version could not deliver.
        token: of an operator of the console.
        commands: which are asked.
    """
    words = {"ACTION": action_of(clicks[0]), "REPORT": dead, "TICKET": clicks[0].ticket}
    words["ORG"] = dead.partition(".")[0]
    told = await asyncio.gather(
        _at_the_public_door(change, clicks),
        _at_the_console(change.old, words, token),
        _of_commands(change.old, words, commands),
    )
    return [fault for faults in told for fault in faults]


async def _at_the_public_door(change: Change, clicks: Sequence[Click]) -> list[str]:
    stage, faults = change.old.stage, list[str]()
    for click in clicks:
        link = httpx.URL((click.receipt or {})["links"]["self"]).raw_path.decode()
        for answer in (
            await change.again(click, change.old),
            await patient(partial(stage.client.get, f"{stage.door}{link}")),
        ):
            said = answer.json()
            told = (answer.status_code, said.get("code"), answer.headers.get("retry-after"))
            if told != (503, "store_down", "5") or NEWER not in said.get("detail", ""):
                faults.append(f"{answer.request.method}: {answer.status_code} {said}")
    return faults


async def _at_the_console(old: Version, words: dict[str, str], token: str) -> list[str]:
    faults = []
    async with httpx.AsyncClient(base_url=old.private, trust_env=False, timeout=30) as client:
        origin = {"Origin": old.private}
        entered = await client.post("/console/login", data={"token": token}, headers=origin)
        client.headers.update({"Cookie": entered.headers["set-cookie"].partition(";")[0], **origin})
        client.cookies.clear()
        begun = await patient(partial(client.get, "/console"))
        form_token = re.findall(r'name="form_token" value="(\w+)"', begun.text)[0]
        for path, status, said in PAGES:
            answer = await patient(partial(client.get, f"/console{_filled(path, words)}"))
            if answer.status_code != status or said not in answer.text:
                faults.append(f"page {path}: {answer.status_code} {_shown(answer)}")
        form = {"form_token": form_token, "why": "x", "within": "60", "report": words["REPORT"]}
        form |= {"new": f"{words['ACTION'].partition('.')[0]}.{'7' * 26}", "key": "0" * 32}
        for path in ACTS:
            answer = await patient(partial(client.post, f"/console{_filled(path, words)}", data=form))
            is_left = answer.status_code == 303 and "left=1" in answer.headers["location"]
            is_said = answer.status_code == 503 and NEWER in answer.text
            if not (is_left if "retell" in path else is_said):
                faults.append(f"act {path}: {answer.status_code} {_shown(answer)}")
    return faults


def _shown(answer: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2]).split())[:600]


async def _of_commands(old: Version, words: dict[str, str], commands: Sequence[Command]) -> list[str]:
    asked = [(tuple(_filled(word, words) for word in command), code, said) for command, code, said in commands]
    told = await asyncio.gather(*(old.onhook(*command) for command, _, _ in asked))
    return [
        f"onhook {' '.join(command)}: {code} {out[-600:]}"
        for (command, expected, said), (code, out) in zip(asked, told, strict=True)
        if code != expected or (said not in out if said else out.strip())
    ]


def _filled(text: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(name, word)
    return text
