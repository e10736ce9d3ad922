"""Whom we believe on the way out: certificates, a proxy and authorities of our own, and nothing of the environment."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from service.core.errors import Unreachable
from service.outbound import Answered, Asked, Caller, Outgoing, Rule, origin_in, transport_of
from tests.authority import Authority
from tests.genesys.peers import HandClock, peer, read_request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PATIENT = 5.0  # a handshake takes some milliseconds, and more on a machine that does other things


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Ours."""
    return Authority.made(tmp_path_factory.mktemp("authority"))


@dataclass
class Heard:
    """What a server was asked."""

    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note each request, and answer it."""
        self.connections += 1
        while True:
            self.requests.append(await read_request(reader))
            writer.write(OK)


@dataclass
class Proxy:
    """A proxy that lets everything through, by CONNECT, and notes for whom."""

    asked: list[bytes] = field(default_factory=list)

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Open the way that is asked for, and carry both directions."""
        head = await read_request(reader)
        self.asked.append(head)
        host, _, port = head.split(b" ")[1].rpartition(b":")
        there, thither = await asyncio.open_connection(host.decode(), int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_carry(reader, thither), _carry(there, writer))
        finally:
            thither.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(65536):
        writer.write(some)
    writer.close()


@asynccontextmanager
async def calling(url: str, **outgoing: str | None) -> AsyncIterator[Callable[[], asyncio.Future[Answered]]]:
    """What asks for `/` at a URL."""
    settled = Outgoing(connect_seconds=PATIENT, total_seconds=2 * PATIENT, **outgoing)
    caller = Caller([Rule("GET", origin_in(url), re.compile(rb"/"))], HandClock(), settled)
    try:
        yield lambda: asyncio.ensure_future(caller.send(Asked("GET", f"{url}/", {"Authorization": "Bearer ours"})))
    finally:
        await caller.aclose()


# ------------------------------------------------------------------------------------------------------- certificates
def expired(ours: Authority) -> ssl.SSLContext:
    """Of 2020."""
    return ours.server("expired", lives=("20200101000000Z", "20200102000000Z"))


def not_yet(ours: Authority) -> ssl.SSLContext:
    """Of 2098."""
    return ours.server("not-yet", lives=("20980101000000Z", "20990101000000Z"))


def by_no_authority(ours: Authority) -> ssl.SSLContext:
    """Signed by somebody whom our authority made no authority."""
    ours.server("leaf")
    return ours.server("by-a-leaf", by="leaf")


def by_a_stranger(ours: Authority) -> ssl.SSLContext:
    """Signed by another authority."""
    (folder := ours.folder / "stranger").mkdir()
    return Authority.made(folder, "stranger").server("theirs")


@pytest.mark.parametrize(
    "made, words",
    [
        (lambda ours: ours.server("other-address", "IP:127.0.0.2"), "IP address mismatch"),
        (lambda ours: ours.server("other-name", "DNS:api.mypurecloud.de"), "IP address mismatch"),
        (lambda ours: ours.server("any-name", "DNS:*"), "IP address mismatch"),
        (lambda ours: ours.server("as-a-name", "DNS:127.0.0.1"), "IP address mismatch"),
        (expired, "certificate has expired"),
        (not_yet, "certificate is not yet valid"),
        (lambda ours: ours.signed_by_itself("itself"), "self-signed certificate"),
        (by_no_authority, "invalid CA certificate"),
        (by_a_stranger, "unable to get local issuer certificate"),
    ],
    ids=["address", "name", "any-name", "as-a-name", "expired", "not-yet", "itself", "no-authority", "stranger"],
)
async def test_wrong_certificates_are_refused_in_words(
    authority: Authority, made: Callable[[Authority], ssl.SSLContext], words: str
) -> None:
    """Another host's, an old, an early or a stranger's certificate is said to be it; no byte of the request leaves."""
    heard = Heard()
    async with peer(heard.play, made(authority)) as url, calling(url, ca_file=str(authority.pem)) as get:
        with pytest.raises(Unreachable, match=f"CERTIFICATE_VERIFY_FAILED.*{words}") as caught:
            await get()
    assert caught.value.reply.code == "cannot_connect"
    assert heard.requests == []


async def test_our_own_authority_is_trusted_where_it_is_named(authority: Authority) -> None:
    """With `ca_file` a certificate of it is good, by address and by name; without it the same one is a stranger's."""
    tls, heard = authority.server("good", "IP:127.0.0.1,DNS:localhost"), Heard()
    async with peer(heard.play, tls) as url:
        for place in (url, url.replace("127.0.0.1", "localhost")):
            async with calling(place, ca_file=str(authority.pem)) as get:
                assert (await get()).status == 200
            async with calling(place) as get:
                with pytest.raises(Unreachable, match="unable to get local issuer certificate"):
                    await get()
    assert len(heard.requests) == 2


def test_our_own_authority_stands_beside_the_public_ones(authority: Authority) -> None:
    """Naming an authority adds it and takes none away; nothing older than TLS 1.2 is spoken."""
    public, more = (_tls(Outgoing(ca_file=file)) for file in (None, str(authority.pem)))
    assert len(more.get_ca_certs()) == len(public.get_ca_certs()) + 1 > 50
    for tls in (public, more):
        assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert tls.minimum_version >= ssl.TLSVersion.TLSv1_2


def _tls(outgoing: Outgoing) -> ssl.SSLContext:
    transport = transport_of(outgoing)()
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    tls = transport._pool._ssl_context
    assert isinstance(tls, ssl.SSLContext)
    return tls


# -------------------------------------------------------------------------------------------------------------- proxy
@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_the_proxy_carries_and_reads_nothing(authority: Authority, is_secure: bool) -> None:
    """Through a proxy of our own the call arrives; the proxy is shown host, port and its own password, no more."""
    heard, proxy = Heard(), Proxy()
    tls = authority.server(f"proxy-{is_secure}") if is_secure else None
    server = authority.server(f"behind-{is_secure}")
    async with peer(heard.play, server) as url, peer(proxy.play, tls) as way:
        through = way.replace("://", "://ours:secret@")
        async with calling(url, proxy=through, ca_file=str(authority.pem)) as get:
            assert [(await get()).status, (await get()).status] == [200, 200]
    assert len(proxy.asked) == 1
    assert proxy.asked[0].startswith(b"CONNECT " + url.removeprefix("https://").encode() + b" HTTP/1.1\r\n")
    assert b"proxy-authorization: basic b3vyczpzzwnyzxq=" in proxy.asked[0].lower()
    assert b"Bearer" not in proxy.asked[0]
    assert all(b"Bearer ours" in one and b"proxy" not in one.lower() for one in heard.requests)


async def test_a_proxys_certificate_is_looked_at_too(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy with a stranger's certificate carries nothing, whatever the environment says of it."""
    heard, proxy = Heard(), Proxy()
    stranger = Authority.made(tmp_path, "stranger")
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.pem))
    tls = authority.server("unseen")
    async with (
        peer(heard.play, tls) as url,
        peer(proxy.play, stranger.server("theirs")) as way,
        calling(url, proxy=way, ca_file=str(authority.pem)) as get,
    ):
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            await get()
    assert (proxy.asked, heard.requests) == ([], [])


# -------------------------------------------------------------------------------------------------------- environment
async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY and its kin lead httpx astray, and not us; nor does a netrc bring a password along."""
    heard, trap = Heard(), Heard()
    async with peer(heard.play) as url, peer(trap.play) as astray:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, astray)
            monkeypatch.setenv(name.lower(), astray)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with httpx.AsyncClient() as client:  # the control: it does have an effect on who listens to it
            await client.get(url)
        assert (len(trap.requests), len(heard.requests)) == (1, 0)
        async with calling(url) as get:
            assert (await get()).status == 200
    assert (len(trap.requests), len(heard.requests)) == (1, 1)


async def test_a_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password for this very host in a netrc goes nowhere: what we send is what we were given."""
    heard, file = Heard(), tmp_path / ".netrc"
    file.write_text("default login them password theirs\nmachine 127.0.0.1 login them password theirs\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert httpx.NetRCAuth()._netrc_info.authenticators("127.0.0.1")  # the control: it is found by who looks
    async with peer(heard.play) as url, calling(url) as get:
        assert (await get()).status == 200
    assert re.findall(rb"(?i)authorization: .*", heard.requests[0]) == [b"Authorization: Bearer ours\r"]


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_no_authority_of_the_environment_is_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Who can set a variable of ours cannot make us trust him: authorities come from `ca_file` and the public list."""
    heard, tls = Heard(), authority.server(name.lower())
    (hashed := authority.folder / "hashed").mkdir(exist_ok=True)
    number = authority.subject_hash()
    (hashed / f"{number}.0").write_bytes(authority.pem.read_bytes())
    for other in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, str(hashed if name.endswith("DIR") else authority.pem))
    async with peer(heard.play, tls) as url:
        async with calling(url) as get:
            with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
                await get()
        assert heard.requests == []
        if name.startswith("SSL"):  # the control: httpx itself listens to these two
            async with httpx.AsyncClient() as client:
                assert (await client.get(url)).status_code == 200
