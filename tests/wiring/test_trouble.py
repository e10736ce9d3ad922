"""What keeps a call from its answer, told apart: real servers that are wrong in one way each."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from service.core.errors import OnhookError
from service.outbound import Asked, Outgoing
from service.wiring.trouble import ANSWER, CERTIFICATE, CONNECTION, NAMES, PROXY, trouble_of
from tests.genesys.peers import Noting, mute, peer, read_request, saying
from tests.wiring.certificates import certificate
from tests.wiring.test_witness import OK, line_to

QUICK = Outgoing(connect_seconds=5.0, total_seconds=10.0)  # machines are busy; only silence waits for its end
SILENT = Outgoing(connect_seconds=5.0, total_seconds=0.5)


async def trouble_with(url: str, outgoing: Outgoing, other: httpx.AsyncBaseTransport | None = None) -> tuple[str, str]:
    """Return what is said about a call to `url` that fails."""
    caller, witness = line_to(url, outgoing, other)
    with pytest.raises(OnhookError):
        await caller.send(Asked("GET", f"{url}/a"))
    await caller.aclose()
    fault = witness.calls[-1].fault
    assert fault is not None
    return trouble_of(fault, httpx.URL(url).host, outgoing)


async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy that lets nobody through."""
    await read_request(reader)
    writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def test_the_name_is_not_found() -> None:
    """A name that nobody knows is said as such, with the host."""
    topic, said = await trouble_with("https://api.nowhere.invalid", QUICK)
    assert (topic, said.partition(":")[0]) == (NAMES, "api.nowhere.invalid")
    assert "the name is not found" in said


async def test_nobody_listens() -> None:
    """A refused connection is no name and no certificate."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    topic, said = await trouble_with(f"https://127.0.0.1:{port}", QUICK)
    assert (topic, "the connection is refused" in said) == (CONNECTION, True)


async def test_a_stranger_s_certificate(tmp_path: Path) -> None:
    """A certificate that is not trusted leads to outbound.ca_file."""
    tls, _ = certificate(tmp_path)
    async with peer(saying(OK), tls) as url:
        topic, said = await trouble_with(url, QUICK)
    assert topic == CERTIFICATE
    assert "is not trusted: if your network opens TLS, set outbound.ca_file" in said


async def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    """A trusted certificate for another name, or another address, is said as such."""
    tls, pem = certificate(tmp_path, "DNS:elsewhere.example")
    outgoing = Outgoing(ca_file=str(pem))
    async with peer(saying(OK), tls) as url:
        by_address = await trouble_with(url, outgoing)
        by_name = await trouble_with(url.replace("127.0.0.1", "localhost"), outgoing)
    assert (by_address[0], "not for this address" in by_address[1]) == (CERTIFICATE, True)
    assert (by_name[0], "for another name" in by_name[1]) == (CERTIFICATE, True)


@pytest.mark.parametrize("code, words", [(9, "not valid yet"), (10, "has expired"), (19, "is not trusted")])
async def test_what_openssl_says(code: int, words: str) -> None:
    """Each of OpenSSL's objections has its own sentence; one without is a certificate that is not trusted."""
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code, cause.verify_message = code, "as OpenSSL says it"
    fault = httpx.ConnectError("no")
    fault.__cause__ = cause
    topic, said = await trouble_with("https://api.example", QUICK, Noting(fault))
    assert (topic, words in said, "as OpenSSL says it" in said) == (CERTIFICATE, True, True)


async def test_no_tls_there() -> None:
    """Something that speaks no TLS is said as such."""

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with peer(rude) as url:
        topic, said = await trouble_with(url.replace("http://", "https://"), QUICK)
    assert (topic, "no TLS could be agreed on" in said) == (CERTIFICATE, True)


async def test_the_proxy() -> None:
    """A proxy that refuses, is not found, or is not there, is blamed itself, with the setting."""
    async with peer(refusing) as url:
        topic, said = await trouble_with("https://api.example", Outgoing(proxy=url))
    assert topic == PROXY
    assert "407" in said
    assert "CONNECT to api.example" in said
    topic, said = await trouble_with("https://api.example", Outgoing(proxy="http://proxy.nowhere.invalid:3128"))
    assert (topic, said.startswith("the proxy (outbound.proxy): the name is not found")) == (NAMES, True)


async def test_no_answer() -> None:
    """A server that takes the request and says nothing has been reached: only the answer is missing."""
    async with peer(mute) as url:
        topic, said = await trouble_with(url, SILENT)
    assert (topic, said) == (ANSWER, "127.0.0.1: no answer within 0.5 s; try again")


@pytest.mark.parametrize(
    "fault, topic, words",
    [
        (httpx.ConnectTimeout(""), CONNECTION, "no connection within 5 s: most often a firewall"),
        (httpx.ConnectError("all attempts failed"), CONNECTION, "no connection: ConnectError: all attempts failed"),
        (httpx.RemoteProtocolError(""), ANSWER, "the call broke off: RemoteProtocolError"),
        (UnicodeError("label too long"), NAMES, "the name is not found: label too long"),
    ],
)
async def test_what_no_server_here_can_do(fault: Exception, topic: str, words: str) -> None:
    """A firewall that swallows, and what nobody foresaw, have their sentences too."""
    found, said = await trouble_with("https://api.example", QUICK, Noting(fault))
    assert (found, words in said) == (topic, True)
