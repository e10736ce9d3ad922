"""What an operator says to connect an org: its region and its OAuth client. Every fault is a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from service.core import model as m
from service.outbound import Origin, origin_in

# region → domain, as the vendor lists them; API and login are its hosts `api.` and `login.`
REGIONS: Mapping[str, str] = {
    "ap_northeast_1": "mypurecloud.jp",
    "ap_northeast_2": "apne2.pure.cloud",
    "ap_northeast_3": "apne3.pure.cloud",
    "ap_south_1": "aps1.pure.cloud",
    "ap_southeast_1": "apse1.pure.cloud",
    "ap_southeast_2": "mypurecloud.com.au",
    "ca_central_1": "cac1.pure.cloud",
    "eu_central_1": "mypurecloud.de",
    "eu_central_2": "euc2.pure.cloud",
    "eu_west_1": "mypurecloud.ie",
    "eu_west_2": "euw2.pure.cloud",
    "eusc_de_east_1": "edee1.eusc-pure.cloud",
    "me_central_1": "mec1.pure.cloud",
    "mx_central_1": "mxc1.pure.cloud",
    "sa_east_1": "sae1.pure.cloud",
    "us_east_1": "mypurecloud.com",
    "us_east_2": "use2.us-gov-pure.cloud",
    "us_west_2": "usw2.pure.cloud",
}
# what HTTP Basic can carry unharmed; a colon would end the id
_CLIENT_ID = re.compile(r"[!-9;-~]{1,200}", re.ASCII)
_CLIENT_SECRET = re.compile(r"[!-~]{1,500}", re.ASCII)


class GenesysOptions(BaseModel):
    """How to reach one org.

    Attributes:
        region: one of `REGIONS` (`eu-central-1` is taken for `eu_central_1`); or else both URLs:
        api_url: scheme, host and port of the API, for a sandbox or a gateway of one's own.
        login_url: the same of the login.
        client_id: of an OAuth client with the grant Client Credentials.
        client_secret: its secret; shown nowhere.
        route: by which call a participant is removed: `generic`, `medium` (the medium's own), `on_behalf` (of a user,
            voice only), or `auto`: the first of these that Genesys lets a client without a user make.
        on_behalf_of: the id of the user on whose behalf a participant is removed who is no user himself; without it
            `auto` does not take that call.
    """

    # a fault must not repeat what was typed: it may be the secret
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    region: str | None = None
    api_url: str | None = None
    login_url: str | None = None
    client_id: str
    client_secret: SecretStr
    route: Literal["auto", "generic", "medium", "on_behalf"] = "auto"
    on_behalf_of: str = ""

    @field_validator("region")
    @classmethod
    def _is_known(cls, region: str | None) -> str | None:
        name = region and region.strip().lower().replace("-", "_")
        if name is not None and name not in REGIONS:
            raise ValueError(f"is no region of Genesys Cloud; write one of {', '.join(REGIONS)}.")
        return name

    @field_validator("api_url", "login_url")
    @classmethod
    def _is_origin(cls, url: str | None) -> str | None:
        return None if url is None else str(origin_in(url))

    @field_validator("client_id")
    @classmethod
    def _is_client_id(cls, client_id: str) -> str:
        if not _CLIENT_ID.fullmatch(client_id):
            raise ValueError("is no client id; copy it from Admin, Integrations, OAuth: a UUID without spaces.")
        return client_id

    @field_validator("client_secret")
    @classmethod
    def _is_client_secret(cls, client_secret: SecretStr) -> SecretStr:
        if not _CLIENT_SECRET.fullmatch(client_secret.get_secret_value()):
            raise ValueError("is empty, too long, or has spaces or odd characters in it; copy it again.")
        return client_secret

    @field_validator("on_behalf_of")
    @classmethod
    def _is_user_id(cls, user_id: str) -> str:
        known = m.uuid_in(user_id)
        if known is None and user_id:
            raise ValueError("is no user's id; those are UUIDs like 3a4b5c6d-1234-4678-9012-34567890abcd.")
        return known or ""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        urls = [url for url in (self.api_url, self.login_url) if url is not None]
        if self.region is not None and urls:
            raise ValueError("give a region, or api_url and login_url; not both.")
        if self.region is None and len(urls) != 2:  # noqa: PLR2004 - the two that one place has
            raise ValueError("give a region, or both api_url and login_url.")
        return self

    @property
    def api(self) -> Origin:
        """Where conversations are."""
        return self._place("api", self.api_url)

    @property
    def login(self) -> Origin:
        """Where tokens are given out."""
        return self._place("login", self.login_url)

    def _place(self, host: str, url: str | None) -> Origin:
        return origin_in(url or f"https://{host}.{REGIONS[self.region or '']}")
