"""What the address of Redis may say, and what it stands for."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from service.core.errors import Misconfigured
from service.store.address import connect
from service.store.cluster import Cluster
from service.store.sentinel import Sentinels


@pytest.mark.parametrize(
    "url",
    ["redis://localhost:6379/0", "rediss://:secret@host/1?ssl_ca_certs=/ca.pem", "unix:///run/redis.sock?db=2"],
)
def test_a_url_is_a_client(url: str) -> None:
    """Each kind of URL is a client with our timeouts, no retries of its own and the old protocol."""
    client = connect(url)
    assert isinstance(client, Redis)
    kwargs = client.connection_pool.connection_kwargs
    assert (kwargs["socket_timeout"], kwargs["protocol"]) == (1.0, 2)
    assert kwargs["retry"].get_retries() == 0


@pytest.mark.parametrize(
    "url, is_cluster, expected",
    [
        ("redis://h?cluster=true", None, True),
        ("redis://h?cluster=yes", None, True),
        ("redis://h?cluster=no", None, False),
        ("redis://h", None, False),
        ("redis://h", True, True),
        ("redis://h?cluster=true", False, False),
    ],
)
def test_a_cluster_is_said(url: str, is_cluster: bool | None, expected: bool) -> None:
    """A Cluster is one when the URL says so, or the setting, which counts more."""
    assert isinstance(connect(url, is_cluster=is_cluster), Cluster) == expected


@pytest.mark.parametrize(
    "url, fault",
    [
        ("http://user:hunter2@h", "redis://"),
        ("redis://user:hunter2@h?socket_timeout=60", "socket_timeout"),
        ("redis://user:hunter2@h?retry_on_timeout=true", "retry_on_timeout"),
        ("", "redis://"),
    ],
)
def test_what_is_no_url_of_ours(url: str, fault: str) -> None:
    """A URL that cannot be used is said in words, without its password."""
    with pytest.raises(Misconfigured, match=fault) as caught:
        connect(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url, is_cluster, fault",
    [
        ("redis://h?cluster=true&sentinel=main", None, "a Cluster has none"),
        ("unix:///run/redis.sock", True, "reached by redis"),
        ("unix:///run/redis.sock?sentinel=main", None, "reached by redis"),
        ("redis://h/1", True, "one database only"),
        ("redis://h?db=1&cluster=true", None, "one database only"),
        ("redis://h?also=i:1", None, "for a Cluster or for Sentinels"),
        ("redis://h?cluster=true&also=i", None, "host:port"),
        ("redis://h?cluster=true&also=i:1,", None, "host:port"),
        ("redis://h?sentinel=main&also=user:hunter2@i:1", None, "host:port"),
        ("redis+sentinel://h/main", None, "must begin with"),
    ],
)
def test_what_does_not_go_together(url: str, is_cluster: bool | None, fault: str) -> None:
    """What an address cannot mean is said in words, all of it at once."""
    with pytest.raises(Misconfigured, match=fault):
        connect(url, is_cluster=is_cluster)


async def test_other_nodes_are_reached_as_the_first() -> None:
    """User, password and certificates are those of the address for every node of a Cluster, by name or IPv6 address."""
    client = connect("rediss://me:hunter2@first:7000/0?cluster=true&also=[::1]:7001&ssl_ca_certs=/ca.pem")
    assert isinstance(client, Cluster)
    for place in client.seeds:
        node = client.at(place)
        said = node.connection_pool.connection_kwargs
        assert (said["username"], said["password"], said["ssl_ca_certs"]) == ("me", "hunter2", "/ca.pem")
        assert (said["host"], said["port"]) in {("first", 7000), ("::1", 7001)}
    assert len(client.seeds) == 2


async def test_sentinels_are_asked_without_the_masters_password() -> None:
    """The user and password of the address are the master's; the Sentinels get none."""
    client = connect("redis://me:hunter2@first/3?sentinel=main&also=second:26380")
    assert isinstance(client, Sentinels)
    said = [sentinel.connection_pool.connection_kwargs for sentinel in client.sentinels]
    assert [(one["host"], one["port"], "password" in one) for one in said] == [
        ("first", 26379, False),
        ("second", 26380, False),
    ]
    master = client.at("third:6379").connection_pool.connection_kwargs
    assert (master["password"], master["db"]) == ("hunter2", 3)
