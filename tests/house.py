"""The rules of the house, each a function that lists who breaks it; test_house applies them, and breaks each once."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import TypeVar

FILE_LINES = 400  # what a reader scrolls through without losing the start; over that a room wants a wall
FUNCTION_LINES = 50  # one screen
README_LINES = 250  # what somebody reads who was only told the name
RUNTIME_PACKAGES = 35  # each is one more that can be taken over
EXCLUDED_LINES = 15  # that the tests never reach; each is argued in place
SANDBOX_SHARE = 1 / 3  # the play must stay smaller than the real thing

TOP = {"CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "docker-compose.yml", "pyproject.toml"} | {
    "deploy",
    "service",
    "tests",
}
VAGUE = re.compile(r"(?:^|_)(?:bases?|common|data|handlers?|helpers?|impls?|managers?|utils?)(?:_|$)")
CLOCK = r"time\.(time|monotonic|perf_counter|process_time)(_ns)?|datetime\.(datetime|date)\.(now|utcnow|today)"
DICE = r"(random|secrets)(\..*)?|uuid\.uuid[1467]|os\.(urandom|getrandom)"
MOCKS = r"(unittest\.|pytest_)?mock(\..*)?"
SCRIPT_HEADER = ("KEYS", "erived keys", "ARGV", "Returns")
Node = TypeVar("Node", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def short_files(root: Path) -> Iterator[str]:
    """No file of Python is longer than a reader's patience."""
    for path in python(root, "service", "tests"):
        if (lines := len(path.read_text().splitlines())) > FILE_LINES:
            yield f"{path} has {lines} lines"


def short_functions(root: Path) -> Iterator[str]:
    """No function is longer than a screen."""
    for path in python(root, "service", "tests"):
        for node in functions(path):
            if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES:
                yield f"{path}:{node.lineno} {node.name} has {lines} lines"


def clear_names(root: Path) -> Iterator[str]:
    """No file or folder has a name that fits anything."""
    for room in ("service", "tests", "deploy"):
        for path in (root / room).rglob("*"):
            if "__pycache__" not in path.parts and VAGUE.search(path.name.partition(".")[0]):
                yield f"{path} says nothing"


def mirrored_tests(root: Path) -> Iterator[str]:
    """Each module of service has its test file; a module that only gathers what others define has nothing to test."""
    for path in python(root, "service"):
        inside = path.relative_to(root / "service")
        mirror = root / "tests" / inside.parent / f"test_{inside.stem.strip('_')}.py"
        only_gathers = inside.stem.startswith("__") and all(gathers(node) for node in tree(path).body)
        if not only_gathers and not mirror.exists():
            yield f"{path} has no {mirror}"


def gathers(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, an import or a plain list of names."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    names = (
        [target.id for target in node.targets if isinstance(target, ast.Name)] if isinstance(node, ast.Assign) else []
    )
    return isinstance(node, ast.Import | ast.ImportFrom) or names == ["__all__"]


def said_why(root: Path) -> Iterator[str]:
    """The first statement of a module says why it exists."""
    for path in python(root, "service", "tests"):
        if not ast.get_docstring(tree(path)):
            yield f"{path} does not say why it exists"


def script_headers(root: Path) -> Iterator[str]:
    """Each Lua script is headed by its keys, the keys it derives, its arguments and what it returns."""
    for path in (root / "service" / "store" / "scripts").rglob("*.lua"):
        header = re.match(r"(?:[ \t]*--[^\n]*\n)*", path.read_text())
        for word in SCRIPT_HEADER:
            if not header or word not in header[0]:
                yield f"{path} has no {word} in its header"


def promised_tests(root: Path) -> Iterator[str]:
    """Each test has a docstring of one line: the promise it holds."""
    for path in python(root, "tests"):
        for node in functions(path):
            if node.name.startswith("test_") and "\n" in (ast.get_docstring(node) or "\n"):
                yield f"{path}:{node.lineno} {node.name} does not say its promise in one line"


def no_mocks(root: Path) -> Iterator[str]:
    """Nothing is mocked or patched: Redis is a Redis, Genesys is the sandbox, a hand-made class may be a port."""
    for path in python(root, "tests"):
        yield from (f"{path}:{line} uses {name}" for line, name in names_used(path) if re.fullmatch(MOCKS, name))
        for node in walk(path, ast.Attribute):
            if ast.unparse(node) in {"monkeypatch.setattr", "monkeypatch.delattr"}:
                yield f"{path}:{node.lineno} patches"


def no_sleeping(root: Path) -> Iterator[str]:
    """No test sleeps to wait: time is moved by hand. A slow test, or a line on real processes with its reason, may."""
    for path in python(root, "tests"):
        slow = [node for node in (tree(path), *functions(path)) if marked_slow(node)]
        for node in walk(path, ast.Call):
            if not re.fullmatch(r"((time|asyncio|anyio)\.)?sleep", ast.unparse(node.func)):
                continue
            inside = any(isinstance(it, ast.Module) or it.lineno <= node.lineno <= (it.end_lineno or 0) for it in slow)
            yields = bool(node.args) and isinstance(node.args[0], ast.Constant) and not node.args[0].value
            argued = re.search(r"# real processes: \w+", comments(path).get(node.lineno, ""))
            if not (yields or argued or inside):
                yield f"{path}:{node.lineno} sleeps"


def marked_slow(node: Function | ast.Module) -> bool:
    """Whether a test is marked slow, or a whole module is."""
    if isinstance(node, ast.Module):
        return any(re.match(r"pytestmark = .*mark\.slow", ast.unparse(it)) for it in node.body)
    return any("mark.slow" in ast.unparse(it) for it in node.decorator_list)


def one_environment(root: Path) -> Iterator[str]:
    """Only settings read the environment, and the commands, which are started in it."""
    for path in python(root, "service"):
        if path.relative_to(root / "service").parts[0] not in {"settings", "cli"}:
            for line, name in names_used(path):
                if re.fullmatch(r"os\.(environb?|getenvb?)(\..*)?", name):
                    yield f"{path}:{line} reads the environment"


def one_clock_one_dice(root: Path) -> Iterator[str]:
    """Only wiring reads the clock and throws the dice; the sandbox is another process, with its own."""
    for path in python(root, "service"):
        if path.relative_to(root / "service").parts[0] not in {"wiring", "sandbox"}:
            for line, name in names_used(path):
                if re.fullmatch(f"{CLOCK}|{DICE}", name):
                    yield f"{path}:{line} uses {name}"


def one_keyring(root: Path) -> Iterator[str]:
    """Only store/keys.py and the scripts know what a Redis key looks like; the sandbox has no Redis."""
    keyring = root / "service" / "store" / "keys.py"
    words = (
        {word for _, text in texts(keyring) for word in re.findall(r"([a-z_]{3,}):", text)}
        if keyring.exists()
        else set()
    )
    key = re.compile(rf"\}}:\S|^(?:{'|'.join(sorted(words)) or '(?!)'}):\S*$")
    for path in python(root, "service"):
        for line, text in texts(path):
            if path != keyring and "sandbox" not in path.parts and key.search(text):
                yield f"{path}:{line} spells the key {text!r}"


def bare_package(root: Path) -> Iterator[str]:
    """The package itself imports nothing: the floors are drawn below it and would not see it."""
    for line, name in names_used(root / "service" / "__init__.py"):
        yield f"service/__init__.py:{line} imports {name}"


def argued_exceptions(root: Path) -> Iterator[str]:
    """An exception to a rule of a tool is one line, with its reason; never a whole file."""
    for path in python(root, "service", "tests"):
        for line, comment in comments(path).items():
            whole_file = re.search(r"#\s*(ruff|flake8): ?noqa|#\s*mypy:|#\s*fmt: ?off", comment)
            exception = re.search(r"#\s*(noqa|type: ?ignore|pragma: ?no)", comment)
            argued = re.search(r"(noqa: [A-Z0-9, ]+|ignore\[[\w, -]+\]|pragma: no (cover|branch))\s*[-–#]+ \S", comment)
            if whole_file or (exception and not argued):
                yield f"{path}:{line} makes an exception without a reason: {comment}"


def few_excluded_lines(root: Path) -> Iterator[str]:
    """Few lines are taken out of the coverage."""
    count = 0
    for path in python(root, "service"):
        for line, comment in comments(path).items():
            if "pragma: no cover" in comment:
                ends = [node.end_lineno or line for node in walk(path, ast.stmt) if node.lineno == line]
                count += max(ends, default=line) - line + 1
    if count > EXCLUDED_LINES:
        yield f"{count} lines of service are excluded from coverage"


def known_top(root: Path) -> Iterator[str]:
    """At the top lies what a stranger expects, and nothing else."""
    ignored = [line.rstrip("/") for line in (root / ".gitignore").read_text().split()]
    for path in root.iterdir():
        if not (path.name in TOP or path.name.startswith(".") or any(fnmatch(path.name, it) for it in ignored)):
            yield f"{path} lies at the top"


def caps(root: Path) -> Iterator[str]:
    """The README, the set of installed packages and the sandbox stay small."""
    readme, lock = root / "README.md", root / "deploy" / "requirements.txt"
    if (lines := len(readme.read_text().splitlines())) > README_LINES:
        yield f"{readme} has {lines} lines"
    if (packages := len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))) > RUNTIME_PACKAGES:
        yield f"{lock} installs {packages} packages"
    house, play = (
        sum(len(path.read_text().splitlines()) for path in python(root, room))
        for room in ("service", "service/sandbox")
    )
    if play > house * SANDBOX_SHARE:
        yield f"the sandbox has {play} of {house} lines"


def python(root: Path, *rooms: str) -> Iterator[Path]:
    """Every file of Python in some rooms."""
    for room in rooms:
        yield from sorted((root / room).rglob("*.py"))


@cache
def parsed(text: str) -> ast.Module:
    """The tree of a module's text, parsed once."""
    return ast.parse(text)


def tree(path: Path) -> ast.Module:
    """The tree of a module."""
    return parsed(path.read_text())


def functions(path: Path) -> Iterator[Function]:
    """Every function and method in a module."""
    yield from walk(path, ast.FunctionDef)
    yield from walk(path, ast.AsyncFunctionDef)


def walk(path: Path, kind: type[Node]) -> Iterator[Node]:
    """Every node of a kind in a module."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, kind))


def names_used(path: Path) -> Iterator[tuple[int, str]]:
    """Every name that a module imports, and every dotted name it uses of them, as their own module calls them."""
    origin: dict[str, str] = {}
    for plain in walk(path, ast.Import):
        for alias in plain.names:
            first = alias.name.partition(".")[0]
            origin[alias.asname or first] = alias.name if alias.asname else first
            yield plain.lineno, alias.name
    for picked in walk(path, ast.ImportFrom):
        for alias in picked.names:
            origin[alias.asname or alias.name] = f"{picked.module}.{alias.name}"
            yield picked.lineno, f"{picked.module}.{alias.name}"
    for use in walk(path, ast.Attribute):
        first, dot, rest = ast.unparse(use).partition(".")
        if first in origin:
            yield use.lineno, origin[first] + dot + rest
    for name in walk(path, ast.Name):
        if name.id in origin:
            yield name.lineno, origin[name.id]


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every text literal of a module but docstrings; in an f-string, `?` stands for each value."""
    for joined in walk(path, ast.JoinedStr):
        yield joined.lineno, "".join(str(it.value) if isinstance(it, ast.Constant) else "?" for it in joined.values)
    elsewhere = {id(node.value) for node in walk(path, ast.Expr)}
    elsewhere |= {id(part) for node in walk(path, ast.JoinedStr) for part in node.values}
    for node in walk(path, ast.Constant):
        if isinstance(node.value, str) and id(node) not in elsewhere:
            yield node.lineno, node.value


def comments(path: Path) -> dict[int, str]:
    """Every comment of a module, by its line."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


RULES = (
    short_files,
    short_functions,
    clear_names,
    mirrored_tests,
    said_why,
    script_headers,
    promised_tests,
    no_mocks,
    no_sleeping,
    one_environment,
    one_clock_one_dice,
    one_keyring,
    bare_package,
    argued_exceptions,
    few_excluded_lines,
    known_top,
    caps,
)
