"""Why a call had no answer, in words that tell names, connection, certificate and proxy apart and say what to mend."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping

import httpx

from service.outbound import Outgoing, printable
from service.wiring.witness import causes_of

NAMES, CONNECTION, CERTIFICATE, PROXY, ANSWER = "names", "connection", "certificate", "proxy", "answer"

# OpenSSL's X509_V_ERR_…: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_NOT_YET, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64
_CERTIFICATE: Mapping[int, str] = {
    _NOT_YET: "the certificate is not valid yet: is this machine's clock right?",
    _EXPIRED: "the certificate has expired: whose is it, and is this machine's clock right?",
    _OTHER_NAME: "the certificate is for another name: something on the way answers instead; check the address and DNS",
    _OTHER_ADDRESS: "the certificate is not for this address: something else answers there; check the address",
}
_UNTRUSTED = (
    "the certificate is not trusted: if your network opens TLS, set outbound.ca_file to a PEM file of its authority"
)


def trouble_of(fault: BaseException, host: str, outgoing: Outgoing) -> tuple[str, str]:
    """Return which step failed on the way to `host` (one of the words above), and a sentence for the operator."""
    causes = list(causes_of(fault))
    where = "the proxy (outbound.proxy)" if outgoing.proxy else host
    for one in causes:
        if isinstance(one, httpx.ProxyError):
            why = printable(str(one)) or "it gave no reason"
            return PROXY, f"the proxy refused: {why}; check outbound.proxy, and that it lets CONNECT to {host} through"
        if isinstance(one, socket.gaierror | UnicodeError):  # UnicodeError: no name server has to be asked about it
            unheard = str(one.strerror if isinstance(one, socket.gaierror) else one)
            return NAMES, f"{where}: the name is not found: {unheard}; check the spelling, and this machine's DNS"
        if isinstance(one, ssl.SSLCertVerificationError):
            words = _CERTIFICATE.get(one.verify_code, _UNTRUSTED)
            return CERTIFICATE, f"{host}: {words} (OpenSSL: {printable(one.verify_message)})"
        if isinstance(one, ssl.SSLError):
            return CERTIFICATE, f"{host}: no TLS could be agreed on ({printable(str(one))}): does TLS answer there?"
    return _of_silence(causes, where, host, outgoing)


def _of_silence(causes: list[BaseException], where: str, host: str, outgoing: Outgoing) -> tuple[str, str]:
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return CONNECTION, f"{where}: the connection is refused: nothing listens there, or a firewall says no"
    if any(isinstance(one, httpx.ConnectTimeout) for one in causes):
        within = f"no connection within {outgoing.connect_seconds:g} s"
        return CONNECTION, f"{where}: {within}: most often a firewall; does this machine need outbound.proxy?"
    if any(isinstance(one, httpx.ConnectError) for one in causes):
        return CONNECTION, f"{where}: no connection: {_deepest(causes)}"
    if any(isinstance(one, httpx.TimeoutException | asyncio.CancelledError) for one in causes):  # cut by the total time
        return ANSWER, f"{host}: no answer within {outgoing.total_seconds:g} s; try again"
    return ANSWER, f"{host}: the call broke off: {_deepest(causes)}; try again"


def _deepest(causes: list[BaseException]) -> str:
    """Return the most telling of the messages: the last that says anything."""
    said = [f"{type(one).__name__}: {one}" for one in causes if str(one)]
    return printable(said[-1] if said else type(causes[0]).__name__)
