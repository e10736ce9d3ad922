"""What an operator may say, section by section: names, defaults, and the shape of each value."""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from service.core import model as m
from service.core.wording import SHIPPED, Wording
from service.genesys import GenesysOptions
from service.settings.console import ConsoleSettings
from service.settings.files import wording_in
from service.settings.tracing import TraceSettings
from service.sources.options import Choice, Mode, Names, Purposes, Queues, RequesterRate, SourceOptions

_PORT_MOST = 65535


def address_in(text: str) -> str:
    """Return `text` as `host:port`, `:8080` being all interfaces; ValueError, in words, where it is no address."""
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104 - `:port` asks for all interfaces
    try:
        _ = bare == "localhost" or ip_address(bare)
        if ":" in text and port.isascii() and port.isdigit() and len(port) < len("100000") and int(port) <= _PORT_MOST:
            return f"{bare}:{int(port)}"
    except ValueError:
        pass
    raise ValueError("is an IP address, localhost or nothing, a colon and a port: 127.0.0.1:8081 or :8080")


def split_address(address: str) -> tuple[str, int]:
    """Return the host and the port of what `address_in` returned."""
    host, _, port = address.rpartition(":")
    return host, int(port)


def url_of(address: str) -> str:
    """Return the URL by which this machine reaches what listens at an address that `address_in` returned."""
    host, port = split_address(address)
    bare = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name, nothing is bound
    return f"http://{f'[{bare}]' if ':' in bare else bare}:{port}"


def _url(*schemes: str, never: str = "") -> AfterValidator:
    """Take a URL of one of `schemes`, or nothing. What is wrong with one never repeats it: it may have a password."""

    def check(said: Any) -> Any:  # noqa: ANN401 - a text, or one that is masked
        text = said.get_secret_value() if isinstance(said, SecretStr) else said
        try:
            parts = urlsplit(text)
            is_whole = parts.scheme in schemes and (parts.scheme == "unix" or bool(parts.hostname)) and parts.port != 0
        except ValueError:  # a port that is no number, half an IPv6 address
            is_whole = False
        if text and not (is_whole and text.isascii() and text.isprintable() and not set(text) & {" ", *never}):
            raise ValueError(f"is written {schemes[0]}://host:port" + (f", without {' '.join(never)}" if never else ""))
        return said

    return AfterValidator(check)


def _certificates(path: str) -> str:
    try:
        if path:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificate in PEM") from None
    except OSError as fault:
        raise ValueError(f"{path} cannot be read: {fault.strerror}") from None
    return path


Address = Annotated[str, AfterValidator(address_in)]
_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RedisSettings(BaseModel):
    """Where promises are kept.

    Attributes:
        url: `redis://`, `rediss://` or `unix://`; empty for the embedded one (`up`, `demo`) or a running `up`'s.
        prefix: what every key begins with.
        cluster: the url names a node of a Cluster.
        durability: `local`: on this Redis' disk; `replicated`: also at a replica before a 2xx.
        allow_lossy: do not object to a Redis that may forget what it confirmed.
    """

    model_config = _STRICT

    url: Annotated[SecretStr, _url("redis", "rediss", "unix")] = SecretStr("")
    prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")] = "onhook"
    cluster: bool = False
    durability: Literal["local", "replicated"] = "local"
    allow_lossy: bool = False


class DoorSettings(BaseModel):
    """Where the doors are.

    Attributes:
        public: webhooks and action status.
        private: probes and metrics of `serve` and `up`.
        worker: probes and metrics of `work`.
        public_url: how the public door is reached from outside, for links; empty for the address itself.
    """

    model_config = _STRICT

    public: Address = "0.0.0.0:8080"
    private: Address = "127.0.0.1:8081"
    worker: Address = "127.0.0.1:8082"
    public_url: Annotated[str, _url("https", "http", never="?#@")] = ""

    @property
    def reached(self) -> str:
        """The URL of the public door: `public_url`, else its address as this machine reaches it."""
        return self.public_url or url_of(self.public)


class OutboundSettings(BaseModel):
    """How calls leave: nothing of it is taken from the environment's own proxy variables.

    Attributes:
        proxy: an `http://` proxy for all calls to Genesys and the desks, or empty.
        ca_file: certificates to trust instead of the usual ones, or empty.
    """

    model_config = _STRICT

    proxy: Annotated[str, _url("http", "https")] = Field(default="", repr=False)  # it may have a password
    ca_file: Annotated[str, AfterValidator(_certificates)] = ""


class LogSettings(BaseModel):
    """How much is logged: `debug`, `info`, `warning` or `error`."""

    model_config = _STRICT

    level: Literal["debug", "info", "warning", "error"] = "info"


class LimitSettings(BaseModel):
    """How much is taken before new webhooks hear that they are to come later.

    Attributes:
        backlog: open actions of one org. Ten thousand are a hundred minutes' work at 100 removals a minute, so far more
            than can still be in time, and 50 MB of Redis.
    """

    model_config = _STRICT

    backlog: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000


class RetentionSettings(BaseModel):
    """How long things stay in Redis after their end, in days. What is open stays until it has ended.

    Attributes:
        actions_days: settled actions, their timelines and reports; as long as the deliveries that lead to them at
            least, and not over a year: they name people.
        deliveries_days: how long a repeated webhook is known again. Senders repeat for three days: one that was
            forgotten before that would be done a second time.
        refusals_days: the reasons why deliveries were refused: a day at least, so that a night's are read.
        audit_days: the audit, which names operators and the ids of actions: a week at least, so that somebody asks
            for it in time, and up to three years. How an action ended is in it; what it was about ends with the action.
    """

    model_config = _STRICT

    actions_days: Annotated[int, Field(ge=3, le=366)] = 30
    deliveries_days: Annotated[int, Field(ge=3, le=30)] = 7
    refusals_days: Annotated[int, Field(ge=1, le=90)] = 7
    audit_days: Annotated[int, Field(ge=7, le=1096)] = 30

    @model_validator(mode="after")
    def _outlives(self) -> Self:
        if self.actions_days < self.deliveries_days:
            raise ValueError(
                "actions_days is to be as many as deliveries_days at least: a repeat is answered from its action"
            )
        return self


class WordingSettings(BaseModel):
    """How outcomes are told.

    Attributes:
        file: a TOML file of own words, language → key → sentence; empty for the shipped ones alone.
    """

    model_config = _STRICT

    file: str = ""
    _wording: Wording = PrivateAttr(default=SHIPPED)

    @model_validator(mode="after")
    def _reads_words(self) -> Self:
        if self.file:
            self._wording = wording_in(Path(self.file))
        return self

    @property
    def wording(self) -> Wording:
        """The shipped words, and before them the file's as they were when the settings were read."""
        return self._wording


class OrgSettings(GenesysOptions):
    """A Genesys Cloud organisation.

    Attributes:
        mode: `live`, or `shadow`: everything but the send.
        purposes: who may be removed: participants with one of these purposes, and nobody else.
        queues: ids of queues, one of which brought somebody into the conversation; empty for any.
        divisions: ids or names of divisions, one of which the conversation is in; empty for any.
        requesters: who may ask; empty for anybody.
        last_pair: `allow` or `refuse` a removal that leaves one person alone, which normally ends the call.
        supervisors: `allow` or `refuse` to remove who monitors, coaches or barges in, whatever his purpose.
        requester_rate: removals a minute that one requester of one source may ask for; 0 for any number.
    """

    mode: Mode = "live"
    purposes: Purposes = m.Policy().purposes
    queues: Queues = frozenset()
    divisions: Names = frozenset()
    requesters: Names = frozenset()
    last_pair: Choice = "allow"
    supervisors: Choice = "refuse"
    requester_rate: RequesterRate = 0

    @property
    def terms(self) -> m.Terms:
        """Under which terms this org's actions are decided."""
        policy = m.Policy(
            purposes=self.purposes,
            last_pair=self.last_pair,
            queues=self.queues,
            divisions=self.divisions,
            requesters=self.requesters,
            supervisors=self.supervisors,
            requester_rate=self.requester_rate,
        )
        return m.Terms(policy, is_live=self.mode == "live")


class Settings(BaseModel):
    """Everything an operator can say. Secrets are masked wherever it is shown."""

    model_config = _STRICT

    redis: RedisSettings = RedisSettings()
    doors: DoorSettings = DoorSettings()
    outbound: OutboundSettings = OutboundSettings()
    log: LogSettings = LogSettings()
    limits: LimitSettings = LimitSettings()
    retention: RetentionSettings = RetentionSettings()
    wording: WordingSettings = WordingSettings()
    console: ConsoleSettings = ConsoleSettings()
    traces: TraceSettings = TraceSettings()
    orgs: dict[str, OrgSettings] = {}
    sources: dict[str, SourceOptions] = {}
    state_dir: Path = Path()
