"""What the document of the public door says, held against what the door does, with requests that nobody thought of.

schemathesis makes them from the golden document: such as fit it, and such as do not. They go over a socket to a real
process, signed after they were made, so that they come further than to the signature.
"""

from __future__ import annotations

import importlib
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from service.sources.signing import signed
from tests.findings import write_evidence
from tests.needs import needs
from tests.story.stage import Stage, staged

COMMAND = "uv run pytest -n 0 -m slow tests/story/test_contract.py"
GOLDEN = Path(__file__).parents[1] / "web" / "openapi.json"
CONVERSATION = "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"
SEED = 20261126
FEW, MANY = 10, 1000  # requests of each row below
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@dataclass
class Asker:
    """Sends what was made, signed or not, and holds the answer against the document."""

    stage: Stage
    checks: list[Any]
    answers: Counter[str] = field(default_factory=Counter)

    def ask(self, told: str, sign: Callable[[Any], Any] | None, case: Any) -> None:  # noqa: ANN401 - of a library that is not always there
        """Ask once; what the document lacks, raises."""
        answer = case.call(base_url=self.stage.door, auth=sign)
        self.answers[f"{told}: {answer.status_code}"] += 1
        case.validate_response(answer, checks=self.checks)

    def sign(self, request: Any) -> Any:  # noqa: ANN401 - as above
        """Sign a request that is otherwise ready, as the source would."""
        body = request.body or b""
        raw = body if isinstance(body, bytes) else str(body).encode()
        moment = int(time.time() * 1000)
        request.headers.update(signed(self.stage.secret, f"msg_{secrets.token_hex(8)}", moment, raw))
        return request


def rows(stage: Stage, receipt: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any], str]]:
    """Return method, path, what is not left to chance, and a word on what is: `signed`, `odd` (also what does not fit).

    A source and an action that there are, and whom to remove, are never guessed; without them nothing gets far.
    """
    key = receipt["links"]["self"].partition("key=")[2]
    here, there = {"path_parameters": {"source": "desk"}}, {"path_parameters": {"id": receipt["action"]}}
    click = {**here, "body": stage.webhook(CONVERSATION), "media_type": "application/json"}
    return [
        ("POST", "/webhooks/{source}", click, "signed"),
        ("POST", "/webhooks/{source}", here, "signed, odd"),
        ("POST", "/webhooks/{source}", here, ""),
        ("POST", "/webhooks/{source}", {}, "signed"),
        ("HEAD", "/webhooks/{source}", {}, ""),
        ("OPTIONS", "/webhooks/{source}", {}, ""),
        ("GET", "/actions/{id}", {**there, "query": {"key": key}}, ""),
        ("GET", "/actions/{id}", there, "odd"),
        ("GET", "/actions/{id}", {}, ""),
        ("GET", "/openapi.json", {}, ""),
    ]


def tried(strategy: Any, examples: int, ask: Callable[[Any], None]) -> None:  # noqa: ANN401 - as above
    """Ask with so many examples, the same each time."""

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=strategy)
    def asked(case: Any) -> None:  # noqa: ANN401 - as above
        ask(case)

    asked()


def asked_everything(stage: Stage, receipt: Mapping[str, Any], examples: int) -> Counter[str]:
    """Send all rows, each with what fits and what does not; return how often which operation gave which answer."""
    library, checks = (importlib.import_module(name) for name in ("schemathesis", "schemathesis.checks"))
    modes = importlib.import_module("schemathesis.generation").GenerationMode
    checks.load_all_checks()
    asker = Asker(stage, checks.CHECKS.get_by_names(list(CHECKS)))
    schema = library.openapi.from_dict(json.loads(GOLDEN.read_text()))
    for method, path, given, word in rows(stage, receipt):
        for mode in (modes.POSITIVE, modes.NEGATIVE)[: 2 if "odd" in word else 1]:
            ask = partial(asker.ask, f"{method} {path}", asker.sign if "signed" in word else None)
            tried(schema[path][method].as_strategy(mode, **given), examples, ask)
    return asker.answers


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
async def test_the_door_does_what_its_document_says(examples: int) -> None:
    """Whatever is asked of any operation, the answer is one that the document has: status, type, headers and body."""
    needs("schemathesis")
    async with staged() as stage:
        await stage.serve()
        receipt = (await stage.post(stage.webhook(await stage.conversation()))).json()
        answers = asked_everything(stage, receipt, examples)
    if examples > FEW:
        write_evidence("contract", command=COMMAND, counters=answers, findings=[], seed=SEED)
    heard = {answer.rpartition(" ")[2] for answer in answers}
    # else it was no trial: what is made from the document must come as far as the removal it asks for
    assert {"200", "202", "400", "401", "404"} <= heard, answers
