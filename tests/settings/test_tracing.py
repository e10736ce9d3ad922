"""What is said of traces is taken when spans can be written and leave safely, and else refused in words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from service import settings
from service.core.errors import Misconfigured
from service.settings.tracing import TraceSettings
from tests.needs import needs
from tests.settings.test_reading import faults_of, heard

KEY = "Bearer obviously-fake-key"
HERE = "http://127.0.0.1:4318"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder without an onhook.toml."""
    monkeypatch.chdir(tmp_path)


def traces(**said: object) -> TraceSettings:
    """Read what is said of traces."""
    return TraceSettings.model_validate(said)


def test_nothing_said_tells_nobody() -> None:
    """Without a word about it there is no collector, and nobody who is called is told of a trace."""
    assert (traces().endpoint, traces().headers, traces().propagate) == ("", {}, frozenset())
    assert traces(**traces().model_dump()) == traces()


@pytest.mark.parametrize(
    "said, url",
    [
        (HERE, f"{HERE}/v1/traces"),
        (f"{HERE}/", f"{HERE}/v1/traces"),
        ("http://localhost:4318/v1/traces", "http://localhost:4318/v1/traces"),
        ("https://collector.example/otlp/v1/traces/", "https://collector.example/otlp/v1/traces"),
        ("https://collector.example:443", "https://collector.example/v1/traces"),
        ("https://[::1]:4318", "https://[::1]:4318/v1/traces"),
    ],
)
def test_where_spans_go(said: str, url: str) -> None:
    """A collector is a URL; one without a path is taken by the path that all collectors have."""
    needs("opentelemetry")
    assert traces(endpoint=said).endpoint == url


@pytest.mark.parametrize(
    "said",
    [
        "collector.example:4318",
        "grpc://collector.example:4317",
        "http://collector.example:4318",
        "http://10.0.0.7:4318",
        "https://user:word@collector.example",
        "https://collector.example/v1/traces?key=word",
        "https://collector.example/v1/traces#word",
        "https://collector.example/%2e%2e/traces",
        "https://collector.example/a b",
        "https://collector.example//traces",
        "https://collector.example:port",
        "https://collector.example\n",
        " https://collector.example",
        "https://",
    ],
)
def test_where_spans_do_not_go(said: str) -> None:
    """What others could read along, or what has a secret where it is shown, is no collector; no word repeats one."""
    with pytest.raises(ValidationError) as fault:
        traces(endpoint=said)
    assert "word" not in str(fault.value).replace("a user name or password", "")


def test_without_the_extra(tmp_path: Path) -> None:
    """Where nobody can write spans a collector is refused, in words that say what to install."""
    before = sys.path[:]
    try:
        sys.path[:] = [str(tmp_path)]
        said = faults_of({"ONHOOK_TRACES__ENDPOINT": HERE})
    finally:
        sys.path[:] = before
    assert said == "traces: endpoint needs the extra “traces”, which is not installed: pip install 'onhook[traces]'"


def test_headers(tmp_path: Path) -> None:
    """A header is said by a variable, whose name has no hyphen, or in a file; its value is never shown."""
    needs("opentelemetry")
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    said = heard(
        {
            "ONHOOK_TRACES__ENDPOINT": HERE,
            "ONHOOK_TRACES__HEADERS__X_SCOPE_ORGID": "telephony",
            "ONHOOK_TRACES__HEADERS__AUTHORIZATION_FILE": str(tmp_path / "key"),
        }
    ).traces
    given = {name: value.get_secret_value() for name, value in said.headers.items()}
    assert given == {"x-scope-orgid": "telephony", "authorization": KEY}
    assert "fake" not in repr(said)
    assert {*traces(endpoint=HERE, headers={"X-Api-Key": KEY}).headers} == {"x-api-key"}


@pytest.mark.parametrize(
    "headers, why",
    [
        ({"x-a": "1", "X_A": "2"}, "said twice"),
        ({"host": "elsewhere"}, "knows who we are"),
        ({"Content-Type": "text/html"}, "knows who we are"),
        ({"transfer_encoding": "chunked"}, "knows who we are"),
        ({"x a": "1"}, "knows who we are"),
        ({"": "1"}, "knows who we are"),
        ({"x-a": ""}, "x-a is printable ASCII, and not empty"),
        ({"x-a": "1\r\nX-Evil: 1"}, "x-a is printable ASCII"),
        ({"x-a": "schlüssel"}, "x-a is printable ASCII"),
    ],
)
def test_headers_that_are_none(headers: dict[str, str], why: str) -> None:
    """What would steer the request, or is no header, is refused without showing it."""
    needs("opentelemetry")
    with pytest.raises(ValidationError, match=why) as fault:
        traces(endpoint=HERE, headers=headers)
    assert "Evil" not in str(fault.value)


def test_headers_for_nobody() -> None:
    """Headers without a collector are a mistake, and said to be one."""
    with pytest.raises(ValidationError, match="endpoint is missing"):
        traces(headers={"authorization": KEY})


ORGS = {
    "ONHOOK_ORGS__ACME__REGION": "eu_central_1",
    "ONHOOK_ORGS__ACME__CLIENT_ID": "0f9a1d4e-0000-4000-8000-000000000000",
    "ONHOOK_ORGS__ACME__CLIENT_SECRET": "obviously-fake",
}


def test_who_is_told() -> None:
    """Those whose calls say their trace are named one by one, as the settings call them."""
    said = heard(ORGS | {"ONHOOK_TRACES__PROPAGATE": "orgs.acme"})
    assert said.traces.propagate == {"orgs.acme"}


@pytest.mark.parametrize("said", ["acme", "orgs.", "orgs.*", "orgs.ACME", "redis.url", "orgs.acme.mode", "sources.a_b"])
def test_who_is_nobody(said: str) -> None:
    """What is no org and no source is refused with an example."""
    with pytest.raises(ValidationError, match=r"orgs\.acme, sources\.servicenow"):
        traces(propagate=[said])


def test_who_is_not_there() -> None:
    """An org or a source that is not in the settings is a misspelt one; who is there is named."""
    faults = faults_of(ORGS | {"ONHOOK_TRACES__PROPAGATE": "orgs.acme, sources.acme"})
    assert faults == "traces.propagate: there is no [sources.acme]; there is orgs.acme"
    with pytest.raises(Misconfigured, match="there is none"):
        settings.read({"ONHOOK_TRACES__PROPAGATE": "orgs.acme"})
