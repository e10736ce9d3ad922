"""What every configured source must say of itself; each kind's own file adds to it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator

from service.core import model as m
from service.core.filling import is_template
from service.sources.signing import Keyring, fingerprint, secret_in

# A receipt has a body, so 204 is none of them.
SUCCESS_STATUSES: Final = (200, 201, 202)
# one a second of one person is no person any more
RATE_MOST: Final = 6000
# a thousand deliveries a second; who wants more wants no bound
DELIVERIES_MOST: Final = 60_000
# no sender that is worth waiting for gives up sooner, and the door waits no longer for anybody
WAIT_MOST: Final = 20


def _named(said: frozenset[str]) -> frozenset[str]:
    if not all(word.strip() for word in said):
        raise ValueError("has an entry with nothing in it")
    return frozenset(word.strip() for word in said)


def _purposes(said: frozenset[str]) -> frozenset[str]:
    return frozenset(word.lower() for word in _named(said))


def _queues(said: frozenset[str]) -> frozenset[str]:
    ids = {word: m.uuid_in(word) for word in _named(said)}
    if wrong := sorted(word for word, id_ in ids.items() if id_ is None):
        raise ValueError(f"has {wrong[0]}, and is a list of ids of queues, like 0f9a1d4e-5b7c-4d21-9e3a-2c4b6d8e0f1a")
    return frozenset(id_ for id_ in ids.values() if id_)


# what a policy may say of an org and of a source: the same words for both
Purposes = Annotated[frozenset[str], AfterValidator(_purposes)]
Queues = Annotated[frozenset[str], AfterValidator(_queues)]
Names = Annotated[frozenset[str], AfterValidator(_named)]
Choice = Literal["allow", "refuse"]
Mode = Literal["live", "shadow"]
RequesterRate = Annotated[int, Field(ge=0, le=RATE_MOST)]


class SourceOptions(BaseModel):
    """The settings that all kinds share. Secrets are masked wherever the options are shown, also in error messages.

    Those of the policy stand on top of the org's: what either refuses is refused, so a source only ever narrows.

    Attributes:
        org: the one org it may act on.
        secrets: what it signs with; any of them may have signed, so that they can be changed one after the other.
        success_status: the HTTP status it takes for a yes.
        unreadable_status: the status for what is authentic and cannot be read: 422, or 200 where the sender would
            repeat it for days, or switch us off for it. It is counted, logged and among the refusals either way.
        max_age: seconds after the click in which a removal may still be done.
        untimed: what becomes of a delivery that says no time: `refuse`, or `accept`: then its age counts from receipt.
        time_zone: the zone of times it sends without an offset (`Europe/Berlin`); "" refuses those.
        language: in which its tickets are told: `en`, `de`, or one that `wording.file` has words in.
        mode: `shadow`: everything but the send, also in a live org.
        purposes: who of those that the org allows may be removed; None for all of them.
        queues: ids of queues, one of which brought somebody into the conversation; empty for any.
        divisions: ids or names of divisions, one of which the conversation is in; empty for any.
        requesters: who may ask; empty for anybody.
        last_pair: `refuse` a removal that leaves one person alone.
        supervisors: `refuse` to remove who monitors, coaches or barges in.
        requester_rate: removals a minute that one requester may ask for; 0 for any number.
        rate: deliveries a minute that are taken of it, so many at once, with duplicates and previews; 0 for any number.
        runaway: removals that one requester asks for within a minute and that pause it until a person lets it go on;
            0 for any number.
        wait: seconds for which its sender is kept waiting for the outcome, to be told at once; its own
            `Prefer: wait=N` goes first. Less than what the sender itself waits for, else it never hears.
        answer: the JSON that it is answered with where it wants another than our receipt: a table in whose texts
            `{text}` (a sentence for people), `{status}` and `{action}` are filled in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    org: str
    secrets: tuple[SecretStr, ...] = Field(min_length=1)
    success_status: int = 202
    unreadable_status: Literal[200, 422] = 422
    # two minutes: by then the agent has clicked again or hung up. Five seconds is the least a removal takes; an hour
    # after the click nobody knows who is in the conversation now
    max_age: float = Field(default=120, ge=5, le=3600, allow_inf_nan=False)
    untimed: Literal["refuse", "accept"] = "refuse"
    time_zone: str = ""
    language: str = "en"
    mode: Mode = "live"
    purposes: Purposes | None = None
    queues: Queues = frozenset()
    divisions: Names = frozenset()
    requesters: Names = frozenset()
    last_pair: Choice = "allow"
    supervisors: Choice = "allow"
    # none: many systems sign every click with the name of one technical user, and his colleagues must not be refused
    requester_rate: RequesterRate = 0
    # what an org's Genesys takes is 300 calls a minute, so 100 removals; six deliveries for each leave room for repeats
    # and previews, and whoever sends more only fills the queue before the others
    rate: Annotated[int, Field(ge=0, le=DELIVERIES_MOST)] = 600
    # one a second for a whole minute is nobody's clicking, nor a whole centre's under one technical user; and so few
    # that it is stopped before everybody is gone
    runaway: RequesterRate = 60
    # none: most senders want an answer in tens of milliseconds, and show nobody what it says
    wait: Annotated[int, Field(ge=0, le=WAIT_MOST)] = 0
    answer: dict[str, Any] | None = None

    @field_validator("org")
    @classmethod
    def _is_org_name(cls, org: str) -> str:
        if not m.ORG_NAME.fullmatch(org):
            raise ValueError("an org's name is 1 to 32 of a-z, 0-9 and -, and does not begin with -")
        return org

    @field_validator("secrets")
    @classmethod
    def _are_usable(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for place, secret in enumerate(secrets, 1):
            try:
                cls._check(secret.get_secret_value())
            except ValueError as fault:
                raise ValueError(f"secret {place} of {len(secrets)}: {fault}") from None
        return secrets

    @classmethod
    def _check(cls, secret: str) -> None:
        """Refuse a secret that cannot be used; a kind that signs in another way than Standard Webhooks has its own."""
        secret_in(secret)

    def secret_in(self, text: str) -> bytes:
        """Return the bytes of a secret of this source; raises ValueError where it cannot be used."""
        return secret_in(text)

    @field_validator("success_status")
    @classmethod
    def _carries_a_receipt(cls, status: int) -> int:
        if status not in SUCCESS_STATUSES:
            raise ValueError("success_status is 200, 201 or 202: an answer that carries a receipt")
        return status

    @field_validator("answer")
    @classmethod
    def _is_json(cls, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        if not is_template(answer):
            raise ValueError("answer holds what JSON does not know: a date, nan, or a number of more than 63 bits")
        return answer

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("time_zone is a name of the IANA time zone database, like Europe/Berlin") from None
        return name

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of times without an offset, or None."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The secrets' bytes, in order."""
        return tuple(self.secret_in(secret.get_secret_value()) for secret in self.secrets)

    @property
    def keyring(self) -> Keyring:
        """The secrets, ready to verify with."""
        return Keyring(self.keys)

    @property
    def fingerprints(self) -> frozenset[str]:
        """What names the secrets: two sources that share one would take each other's deliveries."""
        return frozenset(map(fingerprint, self.keys))

    @property
    def limits(self) -> m.Limits:
        """What it says on top of its org's policy."""
        return m.Limits(
            purposes=self.purposes,
            last_pair=self.last_pair,
            queues=self.queues,
            divisions=self.divisions,
            requesters=self.requesters,
            supervisors=self.supervisors,
            requester_rate=self.requester_rate,
            is_live=self.mode == "live",
        )

    def terms(self, name: str, channels: tuple[str, ...]) -> m.SourceTerms:
        """Return what the rules need to know of the source, configured as `name`."""
        told = tuple(dict.fromkeys(channels))
        return m.SourceTerms(
            name,
            self.org,
            self.max_age,
            told,
            self.language,
            self.rate,
            self.runaway,
            self.wait,
            self.unreadable_status,
            self.answer,
        )
