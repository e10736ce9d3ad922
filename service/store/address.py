"""What an operator may write as the address of Redis, and the client that it stands for.

`redis://host:6379`, `rediss://` or `unix://` is one server. `?cluster=true` makes it a node of a Cluster, and
`?sentinel=NAME` a Sentinel that knows a master called NAME; `&also=host:port,host:port` names more of the same kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.core.errors import Misconfigured
from service.store.cluster import Cluster
from service.store.sentinel import Sentinels

Client: TypeAlias = "Redis | Cluster | Sentinels"

# each of connecting and reading
SOCKET_SECONDS = 1.0
# more would only queue inside Redis, which works on one thing at a time
CONNECTIONS = 32
# what says who is to be asked; the rest is handed on to each connection
_WHO = frozenset({"cluster", "sentinel", "also"})
# what an operator may say in the URL; timeouts and retries are ours
_URL_OPTIONS = _WHO | {"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"}
PORT, SENTINEL_PORT = 6379, 26379
_TRUE = frozenset({"true", "yes", "1"})
_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}", re.ASCII)


def _faults(parts: SplitResult, said: dict[str, str], *, is_cluster: bool) -> list[str]:
    faults = []
    if parts.scheme not in {"redis", "rediss", "unix"}:
        faults.append("the Redis URL must begin with redis://, rediss:// or unix://")
    faults += [
        f"the Redis URL has an option {name!r}; it may have {', '.join(sorted(_URL_OPTIONS))}"
        for name in sorted(said.keys() - _URL_OPTIONS)
    ]
    sentinel = said.get("sentinel", "")
    if is_cluster and sentinel:
        faults.append("the Redis URL is of a Cluster and names a sentinel; a Cluster has none")
    if parts.scheme == "unix" and (is_cluster or sentinel):
        faults.append("a Cluster, and a Sentinel, is reached by redis:// or rediss://, not by unix://")
    if is_cluster and (said.get("db", "0") != "0" or parts.path not in {"", "/", "/0"}):
        faults.append("a Cluster has one database only: leave the number out of the Redis URL")
    if "also" in said and not (is_cluster or sentinel):
        faults.append("the Redis URL has also=, which is for a Cluster or for Sentinels")
    for place in _also(said):
        if _PLACE.fullmatch(place) is None:
            faults.append(f"the Redis URL has also={place}: it is host:port, with commas between several")
    return faults


def _also(said: dict[str, str]) -> list[str]:
    return said["also"].split(",") if "also" in said else []


def is_of_cluster(url: str, *, is_cluster: bool | None = None) -> bool:
    """Return whether `url` names a node of a Cluster; `is_cluster` is that as a setting, None leaves it to the URL."""
    if is_cluster is None:
        return dict(parse_qsl(urlsplit(url).query)).get("cluster", "").lower() in _TRUE
    return is_cluster


def connect(url: str, *, is_cluster: bool | None = None, connections: int = CONNECTIONS) -> Client:
    """Return a client for `url` that connects when it is first asked.

    Args:
        url: where Redis is.
        is_cluster: `?cluster=true` as a setting; None leaves it to the URL.
        connections: how many at most to one server; a caller beyond them waits.

    Raises:
        Misconfigured: the URL cannot be used. The message never has its password.
    """
    parts = urlsplit(url)
    said = dict(parse_qsl(parts.query))
    is_cluster = is_of_cluster(url, is_cluster=is_cluster)
    faults = _faults(parts, said, is_cluster=is_cluster)
    if faults:
        raise Misconfigured(faults)
    bare = parts._replace(query=urlencode([(name, value) for name, value in said.items() if name not in _WHO]))
    sentinel = said.get("sentinel", "")
    if not is_cluster and not sentinel:
        return _one(urlunsplit(bare), connections)
    first = f"{parts.hostname}:{parts.port or (SENTINEL_PORT if sentinel else PORT)}"
    seeds = [place.replace("[", "").replace("]", "") for place in (first, *_also(said))]
    open_one = _opener(bare, connections)
    if is_cluster:
        return Cluster(seeds, open_one)
    # of the Sentinels we know no user and no password: those in the URL are the master's
    return Sentinels(sentinel, seeds, _opener(bare._replace(netloc="", path="", query=""), 1), open_one)


def _opener(bare: SplitResult, connections: int) -> Callable[[str], Redis]:
    """Return what makes a client for another address that is otherwise as `bare` says."""
    who = bare.netloc.rpartition("@")[0]

    def open_one(address: str) -> Redis:
        host, _, port = address.rpartition(":")
        place = f"[{host}]:{port}" if ":" in host else address
        return _one(urlunsplit(bare._replace(netloc=f"{who}@{place}" if who else place)), connections)

    return open_one


def _one(url: str, connections: int) -> Redis:
    # the default would run a command up to ten times when replies are lost, without asking us
    ours: dict[str, Any] = {
        "protocol": 2,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 0),
        # no greeting with the library's name: what nobody asks for, nobody can take for the answer to a question
        "driver_info": None,
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
    }
    if url.startswith("unix"):
        ours.pop("socket_connect_timeout")
    pool = BlockingConnectionPool.from_url(url, max_connections=connections, timeout=SOCKET_SECONDS, **ours)
    return Redis.from_pool(pool)
