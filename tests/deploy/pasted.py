"""The commands that a reader pastes: each line of each shell block of our pages, and each `onhook …` in their text."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from service.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "deploy").rglob("*.md"))]
SECONDS = 90.0  # a cold start of Python while other tests run, and then some calls
_BLOCK = re.compile(r"^( *)(?:\d\. )?```(sh|console|bash|shell)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_REMARK = re.compile(r"\s+# .*$")
# what a reader fills in before he pastes says so
FILL_IN = re.compile(r"^.*# fill in.*$", re.MULTILINE)


def blocks(page: Path, heading: str = "") -> list[str]:
    """Return the shell blocks of a page, or of what stands under one of its headings, as they are pasted."""
    text = page.read_text(encoding="utf-8")
    if heading:
        (text,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(found[3]) for found in _BLOCK.finditer(text)]


def lines(page: Path) -> list[str]:
    """Return the command lines of a page's blocks: those that go on in the next line as one, without remarks."""
    whole = (block.replace("\\\n", " ") for block in blocks(page))
    cut = (" ".join(_REMARK.sub("", line).split()) for text in whole for line in text.splitlines())
    return [line for line in cut if line]


def codes(page: Path) -> list[str]:
    """Return what stands as code in a page's sentences and tables."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(code.split()) for code in _CODE.findall(text)]


def called(line: str) -> Iterator[tuple[str, str]]:
    """Yield each command of ours in a line, by its name, with each option it is given; "" for the command itself."""
    for words in re.findall(r"(?:^|[\s(])onhook ([^|&>;]*)", line):
        said = words.split()
        if said == ["…"]:
            continue  # any of them
        names = [word.strip("[]") for word in said]
        name = next((many for many in (" ".join(names[:2]), names[0] if names else "") if many in COMMANDS), None)
        if name is None and (not names or not re.fullmatch(r"--[a-z-]+", names[0])):
            raise AssertionError(f"no command of ours: onhook {words}")
        yield name or "", ""
        yield from ((name or "", option) for option in re.findall(r"--[a-z-]+", words))


def _commands(group: typer.core.TyperGroup, above: str = "") -> Iterator[tuple[str, set[str]]]:
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from _commands(command, f"{name} ")
        else:
            yield above + name, {option for one in command.params for option in one.opts}


_GROUP = typer.main.get_command(app)
assert isinstance(_GROUP, typer.core.TyperGroup)
COMMANDS = dict(_commands(_GROUP))


@dataclass(frozen=True)
class Ended:
    """How a shell ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass
class Shell:
    """A person's shell: a folder, what is in its environment, and our command on its path."""

    folder: Path
    environment: Mapping[str, str]

    async def run(self, text: str, typed: str = "") -> Ended:
        """Run what was pasted, in bash; return how it ended. `typed` is what the person types when asked."""
        process = await self._start(text)
        try:
            out, err = await asyncio.wait_for(process.communicate(typed.encode()), SECONDS)
        finally:
            _end(process, signal.SIGKILL)
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def watch(self, text: str, awaited: str) -> Ended:
        """Run what goes on until Ctrl-C: press that once it has said what is `awaited`."""
        process = await self._start(text)
        assert process.stdout
        assert process.stderr
        said = ""
        try:
            async with asyncio.timeout(SECONDS):
                while awaited not in said:
                    more = await process.stdout.read(4096)
                    assert more, f"it ended: {said} {(await process.stderr.read()).decode()}"
                    said += more.decode()
                _end(process, signal.SIGINT)
                out, err = await process.communicate()
        finally:
            _end(process, signal.SIGKILL)
        return Ended(process.returncode or 0, said + out.decode(), err.decode())

    async def _start(self, text: str) -> asyncio.subprocess.Process:
        # last: beside our command lies an older redis-server than the machine's
        ours = os.pathsep.join((self.environment.get("PATH", os.environ["PATH"]), str(Path(sys.executable).parent)))
        return await asyncio.create_subprocess_exec(
            *("bash", "-c", text),
            env={**self.environment, "PATH": ours, "PYTHONPATH": str(ROOT)},
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )


def _end(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to all that a shell started, as a terminal does."""
    if process.returncode is None:
        os.killpg(process.pid, number)


@dataclass
class Page:
    """One page of which a test pastes the blocks, in its own order; which of them it has pasted is known.

    Attributes:
        filled: what the reader fills in, by the name of the variable or function.
    """

    path: Path
    filled: Mapping[str, str] = field(default_factory=dict)
    pasted: set[str] = field(default_factory=set)

    def block(self, words: str) -> str:
        """Return the block that is these words, or the only one that has them in it, filled in."""
        found = [block for block in blocks(self.path) if words in block]
        (block,) = [block for block in found if block.strip() == words] or found
        self.pasted.add(block)
        return FILL_IN.sub(self._filled, block)

    def left(self, heading: str) -> list[str]:
        """Return the blocks under a heading that nobody has pasted."""
        return [block for block in blocks(self.path, heading) if block not in self.pasted]

    def _filled(self, line: re.Match[str]) -> str:
        text, _, _ = line[0].partition("  # ")
        if called_so := re.match(r"(\w+)\(\) \{", text):
            return self.filled[called_so[1]]
        for name in re.findall(r"(?:^|\s)([A-Z_]+)=", text):
            text = re.sub(rf"(^|\s){name}=(?:\$\([^)]*\)|\S)*", rf"\g<1>{name}={self.filled[name]}", text)
        return text
