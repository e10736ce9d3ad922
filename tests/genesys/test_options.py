"""What an operator says to connect an org, right and wrong."""

import pytest
from pydantic import ValidationError

from service.genesys import GenesysOptions
from service.genesys.options import REGIONS

KEYS = {"client_id": "0d9e8f7a-4321-4765-8109-dcba09876543", "client_secret": "canary-secret"}
URLS = {"api_url": "http://127.0.0.1:8090/", "login_url": "https://login.gateway.example"}


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_each_region_has_its_two_hosts(region: str) -> None:
    """A region stands for https://api.{domain} and https://login.{domain}, nothing else."""
    options = GenesysOptions.model_validate({**KEYS, "region": region})
    assert (str(options.api), str(options.login)) == (
        f"https://api.{REGIONS[region]}",
        f"https://login.{REGIONS[region]}",
    )


def test_the_eighteen_regions_are_known() -> None:
    """The vendor lists eighteen regions, each with a domain of its own: client and secret go there and nowhere else."""
    old = "ap_northeast_1=jp ap_southeast_2=com.au eu_central_1=de eu_west_1=ie us_east_1=com"
    new = (
        "ap_northeast_2=apne2 ap_northeast_3=apne3 ap_south_1=aps1 ap_southeast_1=apse1 ca_central_1=cac1 "
        "eu_central_2=euc2 eu_west_2=euw2 me_central_1=mec1 mx_central_1=mxc1 sa_east_1=sae1 us_west_2=usw2"
    )
    listed = {name: f"mypurecloud.{domain}" for name, _, domain in (pair.partition("=") for pair in old.split())}
    listed |= {name: f"{domain}.pure.cloud" for name, _, domain in (pair.partition("=") for pair in new.split())}
    listed |= {"eusc_de_east_1": "edee1.eusc-pure.cloud", "us_east_2": "use2.us-gov-pure.cloud"}
    assert listed == REGIONS
    assert len(set(listed.values())) == 18


def test_options_stay_as_they_were_read() -> None:
    """Nobody changes where an org is, or who we are there, once its options were checked."""
    options = GenesysOptions.model_validate({**KEYS, "region": "eu_west_1"})
    with pytest.raises(ValidationError, match="frozen"):
        options.region = "us_east_1"  # type: ignore[misc] # mypy says the same


def test_a_region_may_be_written_as_amazon_does() -> None:
    """`eu-central-1` is taken for `eu_central_1`."""
    assert GenesysOptions.model_validate({**KEYS, "region": " EU-Central-1 "}).region == "eu_central_1"


def test_urls_instead_of_a_region() -> None:
    """A sandbox or a gateway is named by two origins, kept without a trailing slash."""
    options = GenesysOptions.model_validate({**KEYS, **URLS})
    assert (options.api_url, options.login_url) == ("http://127.0.0.1:8090", "https://login.gateway.example")
    assert (str(options.api), str(options.login)) == (options.api_url, options.login_url)


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"region": "mars"}, "region\n  Value error, is no region of Genesys Cloud; write one of ap_northeast_1, "),
        ({"region": ""}, "is no region of Genesys Cloud"),
        ({}, "give a region, or both api_url and login_url"),
        ({"api_url": "https://a.example"}, "give a region, or both api_url and login_url"),
        ({"login_url": "https://a.example"}, "give a region, or both api_url and login_url"),
        ({"region": "eu_west_1", **URLS}, "give a region, or api_url and login_url; not both"),
        ({"region": "eu_west_1", "login_url": "https://a.example"}, "not both"),
        ({**URLS, "api_url": "http://api.mypurecloud.com"}, "must begin with https://"),
        ({**URLS, "api_url": "https://api.mypurecloud.com/api/v2"}, "without a path"),
        ({**URLS, "login_url": "https://a.example?x"}, "without a path"),
        ({**URLS, "login_url": "https://me:pw@a.example"}, "user name or password"),
        ({"region": "eu_west_1", "client_id": "a:b"}, "is no client id"),
        ({"region": "eu_west_1", "client_id": ""}, "is no client id"),
        ({"region": "eu_west_1", "client_secret": ""}, "is empty"),
        ({"region": "eu_west_1", "client_secret": "canary secret"}, "has spaces"),
        ({"region": "eu_west_1", "client_secret": "canary\n"}, "has spaces"),
        ({"region": "eu_west_1", "route": "canary"}, "Input should be 'auto', 'generic', 'medium' or 'on_behalf'"),
        ({"region": "eu_west_1", "on_behalf_of": "canary@example.com"}, "is no user's id; those are UUIDs like"),
        ({"region": "eu_west_1", "regoin": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_each_fault_is_a_sentence(given: dict[str, str], sentence: str) -> None:
    """What cannot be used is said in words, and what was typed is not repeated: it might be the secret."""
    with pytest.raises(ValidationError) as caught:
        GenesysOptions.model_validate({**KEYS, **given})
    assert sentence in str(caught.value)
    assert "canary" not in str(caught.value)


def test_the_secret_is_shown_nowhere() -> None:
    """Neither repr nor JSON of the options has the secret."""
    options = GenesysOptions.model_validate({**KEYS, "region": "eu_west_1"})
    assert options.client_secret.get_secret_value() == "canary-secret"
    assert "canary" not in repr(options) + str(options) + options.model_dump_json()


def test_the_route_is_found_unless_it_is_said() -> None:
    """Who says nothing has a route found for him, on behalf of nobody; a user's id is kept in lower case."""
    plain = GenesysOptions.model_validate({**KEYS, "region": "eu_west_1"})
    assert (plain.route, plain.on_behalf_of) == ("auto", "")
    user = "3A4B5C6D-1234-4678-9012-34567890ABCD"
    said = GenesysOptions.model_validate({**KEYS, "region": "eu_west_1", "route": "on_behalf", "on_behalf_of": user})
    assert (said.route, said.on_behalf_of) == ("on_behalf", user.lower())
