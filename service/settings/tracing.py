"""What an operator may say of traces: who collects them, and who is told of which trace a call is part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, model_validator

from service.outbound import origin_in
from service.traces import EXTRA, can_write

_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
_ENDPOINT = re.compile(r"(https?://[^/?#@\s]{1,300})((?:/[A-Za-z0-9_.~-]+)*)/?", re.ASCII)
_PATH = "/v1/traces"  # where every collector takes them: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
_HEADER = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_VALUE = re.compile(r"[ -~]{1,4096}", re.ASCII)
# what says where a request goes, where it ends, what it does, or how its body is packed
_STEERING = frozenset(
    {
        "accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
        "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "x-http-method",
        "x-http-method-override", "x-method-override",
    }
)  # fmt: skip
_TOLD = re.compile(r"(?:orgs|sources)\.[a-z0-9][a-z0-9-]{0,31}", re.ASCII)


def _endpoint(said: str) -> str:
    found = _ENDPOINT.fullmatch(said)
    if said and not found:
        raise ValueError("is written https://host:port/v1/traces; http:// is for this machine only")
    return f"{origin_in(found[1])}{found[2] or _PATH}" if found else ""


def _headers(said: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    # a variable's name has no `-` in it, and no header that anybody asks for has a `_`
    named = {name.lower().replace("_", "-"): value for name, value in said.items()}
    if len(named) < len(said):
        raise ValueError("one of them is said twice")
    for name, value in named.items():
        if not _HEADER.fullmatch(name) or name in _STEERING:
            raise ValueError("are headers by which a collector knows who we are, like authorization")
        if not _VALUE.fullmatch(value.get_secret_value()):
            raise ValueError(f"{name} is printable ASCII, and not empty")
    return named


def _propagate(said: frozenset[str]) -> frozenset[str]:
    if not all(map(_TOLD.fullmatch, said)):
        raise ValueError("are sections, as the settings name them: orgs.acme, sources.servicenow")
    return said


class TraceSettings(BaseModel):
    """Traces: what was done for a click and how long it took, for a collector of OpenTelemetry's.

    Attributes:
        endpoint: where they are sent to as OTLP over HTTP, like `https://collector.example:4318/v1/traces`; empty: to
            nobody. The extra `traces` must be installed.
        headers: what is sent with them, by which the collector knows who we are.
        propagate: whose calls carry `traceparent`, as `orgs.NAME` and `sources.NAME`. By itself nobody's: Genesys Cloud
            and most desks are other companies', who can do nothing with it but join their logs to ours, and a header
            that nobody expects may be refused on the way.
    """

    model_config = _STRICT

    endpoint: Annotated[str, AfterValidator(_endpoint)] = ""
    headers: Annotated[dict[str, SecretStr], AfterValidator(_headers)] = {}
    propagate: Annotated[frozenset[str], AfterValidator(_propagate)] = frozenset()

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if self.headers and not self.endpoint:
            raise ValueError("endpoint is missing: headers are for a collector")
        if self.endpoint and not can_write():
            raise ValueError(f"endpoint needs the extra “traces”, which is not installed: pip install '{EXTRA}'")
        return self
